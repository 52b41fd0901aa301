"""OpenFeature: a provider that answers within this process, from the flags that it has."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, TypeVar

from asgiref.sync import sync_to_async
from django.core.exceptions import ImproperlyConfigured

from flaggate import context, recording
from flaggate.api.ofrep.answers import DETAILS, ERRORS, REASONS
from flaggate.core import references
from flaggate.core.evaluation import UNSET
from flaggate.core.evaluation import EvaluationContext as Described
from flaggate.exceptions import UnknownFlag
from flaggate.flags import flags_for
from flaggate.store import refreshed

try:
    from openfeature.evaluation_context import EvaluationContext
    from openfeature.event import ProviderEventDetails
    from openfeature.exception import ErrorCode, FlagNotFoundError, InvalidContextError
    from openfeature.flag_evaluation import FlagResolutionDetails, Reason
    from openfeature.provider import AbstractProvider, Metadata
    from openfeature.track import TrackingEventDetails
except ImportError as error:
    raise ImproperlyConfigured(
        "flaggate.contrib.openfeature needs the SDK of OpenFeature. "
        "Install it: pip install 'flaggate[openfeature]'"
    ) from error

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence, Set

    from openfeature.flag_evaluation import FlagValueType

    from flaggate.core.evaluation import Evaluation
    from flaggate.core.snapshot import Snapshot
    from flaggate.flags import Flags

    Object = Sequence[FlagValueType] | Mapping[str, FlagValueType]

Value = TypeVar("Value")

#: The attribute of an OpenFeature context that holds a subject: a request, a user, an id.
SUBJECT = "flaggate.subject"

# The types of JSON values that answer a question for each of OpenFeature's. Exact: True is no 1.
BOOLEAN, STRING, INTEGER, FLOAT, OBJECT = {bool}, {str}, {int}, {float, int}, {dict, list}


def context_for(subject: Any) -> EvaluationContext:
    """Return an OpenFeature context that stands for a subject, such as a request or a user."""
    return EvaluationContext(attributes={SUBJECT: subject})


class FlaggateProvider(AbstractProvider):
    """Answers OpenFeature's questions as ``flaggate.evaluate()`` would, and counts them.

    The context's targeting key and attributes describe the subject. With ``context_for(request)``
    it is that of the request, and other attributes are added to what is known of it.
    """

    def get_metadata(self) -> Metadata:
        """Return the provider's name."""
        return Metadata(name="flaggate")

    def initialize(self, evaluation_context: EvaluationContext) -> None:
        """Listen for changes; makes no query."""
        self._stale = False
        refreshed.connect(self._tell)

    def shutdown(self) -> None:
        """Listen no more."""
        refreshed.disconnect(self._tell)

    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        return _resolve(BOOLEAN, flag_key, default_value, evaluation_context)

    async def resolve_boolean_details_async(
        self,
        flag_key: str,
        default_value: bool,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        resolve = sync_to_async(self.resolve_boolean_details)
        return await resolve(flag_key, default_value, evaluation_context)

    def resolve_string_details(
        self,
        flag_key: str,
        default_value: str,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[str]:
        return _resolve(STRING, flag_key, default_value, evaluation_context)

    async def resolve_string_details_async(
        self,
        flag_key: str,
        default_value: str,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[str]:
        resolve = sync_to_async(self.resolve_string_details)
        return await resolve(flag_key, default_value, evaluation_context)

    def resolve_integer_details(
        self,
        flag_key: str,
        default_value: int,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[int]:
        return _resolve(INTEGER, flag_key, default_value, evaluation_context)

    async def resolve_integer_details_async(
        self,
        flag_key: str,
        default_value: int,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[int]:
        resolve = sync_to_async(self.resolve_integer_details)
        return await resolve(flag_key, default_value, evaluation_context)

    def resolve_float_details(
        self,
        flag_key: str,
        default_value: float,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[float]:
        return _as_float(_resolve(FLOAT, flag_key, default_value, evaluation_context))

    async def resolve_float_details_async(
        self,
        flag_key: str,
        default_value: float,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[float]:
        resolve = sync_to_async(self.resolve_float_details)
        return await resolve(flag_key, default_value, evaluation_context)

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Object,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Object]:
        return _resolve(OBJECT, flag_key, default_value, evaluation_context)

    async def resolve_object_details_async(
        self,
        flag_key: str,
        default_value: Object,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Object]:
        resolve = sync_to_async(self.resolve_object_details)
        return await resolve(flag_key, default_value, evaluation_context)

    def track(
        self,
        tracking_event_name: str,
        evaluation_context: EvaluationContext | None = None,
        tracking_event_details: TrackingEventDetails | None = None,
    ) -> None:
        """Track an outcome, as ``flaggate.track()`` does."""
        given = tracking_event_details or TrackingEventDetails()
        flags = _flags(evaluation_context)
        flags.track(tracking_event_name, given.value, given.attributes)

    def _tell(self, before: Snapshot, after: Snapshot, error: str, **_: Any) -> None:
        """Emit the events for what a look at the database has found."""
        first = before.source == "defaults" and not self._stale  # nobody was answered from those
        if error:
            self.emit_provider_stale(ProviderEventDetails(message=error))
        elif self._stale:
            self.emit_provider_ready(ProviderEventDetails())
        self._stale = bool(error)
        if first:
            return
        if changed := _changed(before, after):
            details = ProviderEventDetails(flags_changed=sorted(changed))
            self.emit_provider_configuration_changed(details)


def _flags(given: EvaluationContext | None) -> Flags:
    key, attributes = (given.targeting_key, dict(given.attributes)) if given else (None, {})
    if SUBJECT not in attributes:
        return flags_for(Described(key, attributes))
    try:
        flags = flags_for(attributes.pop(SUBJECT))
    except TypeError as error:
        raise InvalidContextError(str(error)) from error
    if key is None and not attributes:
        return flags
    described = Described(key, attributes, resolve=flags.context.attributes.__getitem__)
    return flags.about(context.of_subject(described, flags.now))


def _resolve(
    types: Set[type], key: str, default: Value, given: EvaluationContext | None
) -> FlagResolutionDetails[Value]:
    flags = _flags(given)
    try:
        answer = flags.evaluate(key)
    except UnknownFlag as error:  # the SDK would log another exception as a failure of ours
        raise FlagNotFoundError(str(error)) from error
    if answer.error is not None:
        code = ErrorCode(ERRORS.get(answer.error, answer.error))
        return _failed(default, code, answer.message or DETAILS.get(answer.error, ""))
    value: Any = answer.value
    if value is UNSET:
        value = default
    elif type(value) not in types:
        return _failed(default, ErrorCode.TYPE_MISMATCH, f"The flag serves {value!r}.")
    return FlagResolutionDetails(
        deepcopy(value),
        reason=Reason(REASONS.get(answer.reason, answer.reason)),
        variant=recording.variant_of(answer) or None,
        flag_metadata=_metadata(answer, flags.snapshot),
    )


def _failed(default: Value, code: ErrorCode, message: str) -> FlagResolutionDetails[Value]:
    return FlagResolutionDetails(default, code, message, Reason.ERROR)


def _as_float(details: FlagResolutionDetails[float]) -> FlagResolutionDetails[float]:
    if type(details.value) is int:
        details.value = float(details.value)
    return details


def _metadata(answer: Evaluation, snapshot: Snapshot) -> dict[str, bool | int | float | str]:
    """Return what flaggate knows beyond OpenFeature's words, in its own."""
    metadata: dict[str, bool | int | float | str] = {
        "active": answer.active,
        "reason": answer.reason,
    }
    if answer.rule is not None:
        metadata["rule"] = answer.rule
    if snapshot.version is not None:
        metadata["version"] = snapshot.version.number
    return metadata


def _changed(before: Snapshot, after: Snapshot) -> set[str]:
    """Return the keys of the flags that may answer otherwise than before."""
    keys = before.flags.keys() | after.flags.keys()
    changed = {key for key in keys if _decides(before, key) != _decides(after, key)}
    while more := {key for key in keys - changed if changed & _required(after, key)}:
        changed |= more
    return changed


def _decides(snapshot: Snapshot, key: str) -> Any:
    flag = snapshot.flags.get(key)
    return flag and (flag, references.segments_of(flag, snapshot.segments))


def _required(snapshot: Snapshot, key: str) -> set[str]:
    flag = snapshot.flags.get(key)
    return {each.flag for each in flag.prerequisites} if flag else set()
