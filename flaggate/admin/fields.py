"""Form fields: percent, JSON values, operands, tags, targeting keys, stages, reasons."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NoReturn

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import DateTimeField
from django.forms.utils import to_current_timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from flaggate.admin import operands
from flaggate.admin.refusals import Place
from flaggate.admin.refusals import words as said
from flaggate.admin.widgets import OperandsInput
from flaggate.changes import rollouts
from flaggate.changes.validation import plan_problems
from flaggate.core import validation
from flaggate.exceptions import Invalid
from flaggate.management import users
from flaggate.models import SegmentMember, Stage, wording
from flaggate.models.messages import translated

if TYPE_CHECKING:
    from django.db.models import Model
    from django.http import HttpRequest

    from flaggate.core.definitions import Problem

MOST_COMMENT = 1000
HOLDS = re.compile(r"([0-9]{1,6})\s*([smhdw])", re.ASCII)
LONGEST_STAGE = timedelta(days=3650)
LONGEST_KEY = SegmentMember._meta.get_field("targeting_key").max_length or 0


class SeenField(forms.IntegerField):
    """The version that a page showed when it was opened."""

    widget = forms.HiddenInput

    def __init__(self, **options: Any) -> None:
        limits = {"min_value": 0, "max_value": 2**31}
        super().__init__(**{"label": "", "required": False, **limits, **options})


class CommentField(forms.CharField):
    """Why something is changed."""

    def __init__(self, **options: Any) -> None:
        options = {"label": _("Why?"), "required": False, "max_length": MOST_COMMENT, **options}
        super().__init__(**options)


def comment_of(request: HttpRequest) -> str:
    """Return the reason that somebody gave for a change."""
    return request.POST.get("comment", "").replace("\0", "").strip()[:MOST_COMMENT]


class PercentageField(forms.DecimalField):
    """Percent without idle zeros: 5, not 5.000."""

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, Decimal) and value.is_finite():
            return format(value.normalize(), "f")
        return value


class Typed(str):
    """What somebody typed, as opposed to a stored text."""

    __slots__ = ()


class JSONField(forms.Field):
    """A JSON value; an empty text, list or object is a value like any other, null is none."""

    widget = forms.Textarea(attrs={"rows": 1, "cols": 40, "spellcheck": "false", "dir": "ltr"})
    default_error_messages = {
        "no_json": _(
            "This is no JSON. Write a text in quotes, such as “compact”, with straight quotes; "
            "or a number, true, false, a list or an object."
        ),
        "null": _("Give a value: a text in quotes, a number, true, false, a list or an object."),
        "not_storable": _("The value %(problem)s"),
    }

    def __init__(self, **options: Any) -> None:
        # Not "required" for Django, to which an empty list or object is a missing value.
        super().__init__(**{**options, "required": False})

    def clean(self, value: Any) -> Any:
        parsed = self._parse(value or "null")
        if parsed is None:
            raise ValidationError(self.error_messages["null"], "null")
        if problem := validation.unstorable(parsed):
            raise ValidationError(
                self.error_messages["not_storable"],
                "not_storable",
                {"problem": translated(problem)},
            )
        return parsed

    def bound_data(self, data: Any, initial: Any) -> Any:
        return Typed(data or "")

    def prepare_value(self, value: Any) -> Any:
        if value is None or isinstance(value, Typed):
            return value
        return operands.as_json(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        if not data:
            return initial is not None
        try:
            return json.dumps(self._parse(data), sort_keys=True) != json.dumps(
                initial, sort_keys=True
            )
        except ValidationError:
            return True

    def _parse(self, text: str) -> Any:
        try:
            return json.loads(text, parse_constant=_refuse)
        except (ValueError, RecursionError):
            raise ValidationError(self.error_messages["no_json"], "no_json") from None


class ContextField(JSONField):
    """The attributes of a subject as a JSON object; empty for none."""

    widget = forms.Textarea(attrs={"rows": 3, "cols": 60, "spellcheck": "false", "dir": "ltr"})
    default_error_messages = {
        "no_object": _('This is no JSON object. Write {"name": value}, such as {"plan": "gold"}.'),
    }

    def clean(self, value: Any) -> Any:
        if not (value or "").strip():
            return None
        attributes = super().clean(value)
        if not isinstance(attributes, dict):
            raise ValidationError(self.error_messages["no_object"], "no_object")
        return attributes


class UserField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A user, by primary key or user name."""

    widget = forms.TextInput({"class": "vTextField"})

    def __init__(self, **options: Any) -> None:
        super().__init__(get_user_model()._default_manager.all(), **options)

    def to_python(self, value: Any) -> Any:
        text = str(value or "").strip()
        if not text:
            return None
        if "\0" in text:
            raise ValidationError(_("There is no such user."))
        try:
            return users.found(text)
        except users.UnknownUser as error:
            raise ValidationError(said(error)) from None


class OperandsField(forms.Field):
    """The values of a condition, one a line."""

    widget = OperandsInput(attrs={"rows": 2, "cols": 30, "spellcheck": "false"})

    def to_python(self, value: Any) -> list[Any]:
        found = operands.read_lines(value or "")
        for each in found:
            if problem := validation.unstorable(each):
                raise ValidationError(f"{operands.write(each)[:60]}: {translated(problem)}")
        return found

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else operands.write_lines(value or [])

    def has_changed(self, initial: Any, data: Any) -> bool:
        # As text: [1] == [True] in Python.
        return json.dumps(operands.read_lines(data or "")) != json.dumps(initial or [])


class TagsField(forms.CharField):
    """Tags, separated by commas."""

    def to_python(self, value: Any) -> Any:
        tags = (tag.strip() for tag in (value or "").split(","))
        return list(dict.fromkeys(tag for tag in tags if tag))

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(data) != (initial or []))


class TargetingKeysField(forms.CharField):
    """Targeting keys, one a line."""

    widget = forms.Textarea(attrs={"rows": 3, "cols": 40, "spellcheck": "false"})
    default_error_messages = {
        "too_long": _("“%(key)s…” is longer than %(limit)d characters. One targeting key a line."),
    }

    def clean(self, value: Any) -> Any:
        lines = map(str.strip, super().clean(value).splitlines())
        keys = list(dict.fromkeys(line for line in lines if line))
        for key in keys:
            if len(key) > LONGEST_KEY:
                raise ValidationError(
                    self.error_messages["too_long"],
                    "too_long",
                    {"key": key[:40], "limit": LONGEST_KEY},
                )
        return keys


class HoldsField(forms.CharField):
    """How long a stage holds: 30m, 12h or 2d; empty for ever."""

    default_error_messages = {
        "no_time": _("Write 30m, 12h or 2d; leave it empty on the last stage."),
    }

    def __init__(self, **options: Any) -> None:
        widget = forms.TextInput({"size": 6})
        super().__init__(
            label=_("holds"),
            help_text=_("30m, 12h or 2d; empty on the last stage."),
            required=False,
            widget=widget,
            **options,
        )

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return None
        found = HOLDS.fullmatch(text)
        if found is None or not int(found[1]):
            raise ValidationError(self.error_messages["no_time"], "no_time")
        return _bounded(timedelta(seconds=int(found[1]) * rollouts.UNITS[found[2]]))

    def prepare_value(self, value: Any) -> Any:
        return wording.duration(value) if isinstance(value, timedelta) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class PlanField(forms.CharField):
    """The stages of a rollout in one line: ``5:1d,25:12h,100``."""

    SUGGESTED = "5:1d,25:2d,50:2d,100"

    def to_python(self, value: Any) -> Any:
        try:
            plan = rollouts.to_plan(value or "")
        except Invalid as refusal:
            problems = [translated(problem.message) for problem in refusal.problems]
            raise ValidationError(problems) from None
        stages = [(share, _seconds(holds)) for share, holds in plan]
        if problems := [_at_stage(problem) for problem in plan_problems(stages)]:
            raise ValidationError(problems)
        return plan

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else ",".join(map(_stage, value or ()))


def _bounded(holds: timedelta) -> timedelta:
    if holds > LONGEST_STAGE:
        limit = {"limit": wording.duration(LONGEST_STAGE)}
        raise ValidationError(_("A stage holds for %(limit)s at most."), "too_long", limit)
    return holds


def _seconds(holds: timedelta | None) -> float | None:
    return None if holds is None else _bounded(holds).total_seconds()


def _at_stage(problem: Problem) -> str:
    place = Place(problem)
    labels = {field.name: field.verbose_name for field in Stage._meta.local_fields}
    return gettext("Stage %(number)d, %(field)s: %(problem)s") % {
        "number": (place.position or 0) + 1,
        "field": labels[place.field or ""],
        "problem": translated(problem.message),
    }


def _stage(stage: Stage) -> str:
    share = format(stage.percentage.normalize(), "f")
    return f"{share}:{wording.duration(stage.holds)}" if stage.holds else share


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON.")


def with_moments(model: type[Model], initial: dict[str, Any]) -> dict[str, Any]:
    """Read the moments that an address fills in; without what is none, on which Django breaks."""
    moments = {each.name for each in model._meta.fields if isinstance(each, DateTimeField)}
    read = {name: _moment(value) for name, value in initial.items() if name in moments}
    return {**initial, **read}


def _moment(text: str) -> Any:
    try:
        return to_current_timezone(DateTimeField().to_python(text))
    except (ValidationError, OverflowError):
        return None
