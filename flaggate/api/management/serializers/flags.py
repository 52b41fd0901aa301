"""Flags, and what their actions take."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from flaggate.api.management.fields import (
    Boolean,
    Choice,
    Day,
    Integer,
    Many,
    Moment,
    Number,
    Object,
    Percentage,
    Text,
    Value,
)
from flaggate.api.management.serializers.strict import (
    MOST_ENTRIES,
    CommentedSerializer,
    Key,
    ListQuery,
    StrictSerializer,
    several,
)
from flaggate.core import validation
from flaggate.core.evaluation import TARGETING_KEY
from flaggate.models import Flag

MOST_SECONDS = 10 * 365 * 86_400  # that a stage holds: ten years
MOST_STAGES = 100


class VariantSerializer(StrictSerializer):
    """One outcome of a multivariate flag."""

    key = Key()
    value = Value(help_text="Any JSON but null.")
    weight = Integer(default=1, min_value=0, max_value=validation.MAX_WEIGHT)


class RuleSerializer(StrictSerializer):
    """Of the subjects in any of these segments, this share gets this variant."""

    segments = Many(child=Text(max_length=validation.MAX_SEGMENT_KEY), max_length=MOST_ENTRIES)
    percentage = Percentage(default=100)
    variant = Text(default="", allow_blank=True, max_length=validation.MAX_KEY)


class PrerequisiteSerializer(StrictSerializer):
    """Another flag that must be active, or serve a given variant, first."""

    flag = Text(max_length=validation.MAX_KEY)
    variant = Text(default="", allow_blank=True, max_length=validation.MAX_KEY)


class StageSerializer(StrictSerializer):
    """A share, and for how many seconds it holds; the last one stays."""

    percentage = Percentage()
    holds = Number(default=None, allow_null=True, min_value=1, max_value=MOST_SECONDS)


class RunningSerializer(StrictSerializer):
    """That the stages run, since when, and since when they are paused."""

    started_at = Moment()
    paused_at = Moment(allow_null=True)


class FlagSerializer(CommentedSerializer):
    """A flag as one document."""

    key = Key()
    description = Text(default="", allow_blank=True)
    kind = Choice(Flag.Kind.choices, default=Flag.Kind.RELEASE.value)
    enabled = Boolean(default=False, help_text="The master switch: off beats everything else.")
    percentage = Percentage(
        default=100, help_text="The share of everyone whom no rule caught; stated where rules are."
    )
    bucket_by = Text(default="", allow_blank=True, max_length=validation.MAX_NAME)
    salt = Text(required=False, max_length=100, help_text="Another one draws new buckets.")
    off_variant = Text(default="", allow_blank=True, max_length=validation.MAX_KEY)
    client_visible = Boolean(default=False)
    critical = Boolean(default=False, help_text="Changes must send If-Match.")
    owner = Text(default="", allow_blank=True, max_length=200)
    tags = Many(child=Text(), default=list, max_length=MOST_ENTRIES)
    permanent = Boolean(default=False)
    overridable = Boolean(default=True)
    active_from = Moment(default=None, allow_null=True)
    active_until = Moment(default=None, allow_null=True)
    expires_on = Day(default=None, allow_null=True)
    variants = several(VariantSerializer(), default=list)
    rules = several(RuleSerializer(), default=list)
    prerequisites = several(PrerequisiteSerializer(), default=list)
    stages = several(StageSerializer(), default=list, max_length=MOST_STAGES)
    rollout = RunningSerializer(
        read_only=True, allow_null=True, help_text="Changed by actions alone."
    )
    archived_at = Moment(read_only=True, allow_null=True, help_text="Changed by actions alone.")
    version = Integer(read_only=True)
    created = Moment(read_only=True)
    modified = Moment(read_only=True)
    state = Text(read_only=True, help_text="Whether it is on, and for whom, in words.")

    def validate_variants(self, variants: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return _once(variants, "key")

    def validate_prerequisites(self, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return _once(entries, "flag")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        unstated = "percentage" in self.fields and "percentage" not in self.initial_data
        if attrs.get("rules") and unstated:
            message = "State it: the share of everyone whom no rule catches, 0 for nobody."
            raise serializers.ValidationError({"percentage": [message]})
        return attrs


class RolloutSerializer(CommentedSerializer):
    """A percentage to set, or stages to run; one of both."""

    percentage = Percentage(required=False)
    stages = several(StageSerializer(), required=False, allow_empty=False, max_length=MOST_STAGES)
    at = Moment(required=False, help_text="When the stages start: now, unless it is said.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("percentage" in attrs) == ("stages" in attrs):
            message = "Give a percentage, or stages."
            raise serializers.ValidationError({"percentage": [message]})
        if "at" in attrs and "stages" not in attrs:
            message = "A percentage is set at once. Give stages, or leave this out."
            raise serializers.ValidationError({"at": [message]})
        return attrs


class RevertSerializer(CommentedSerializer):
    """A version to go back to."""

    version = Integer(min_value=1, max_value=2**31 - 1)


class CopySerializer(CommentedSerializer):
    """The key of the copy."""

    key = Key()


IDENTIFYING = (str, int, type(None))  # the types of a targeting key; with null it is nobody's


class SubjectSerializer(StrictSerializer):
    """For whom to explain: a targeting key, or a whole context; nothing is an anonymous subject."""

    key = Text(required=False, max_length=validation.MAX_NAME)
    context = Object(  # type: ignore[assignment]
        required=False, help_text='Attributes: {"targeting_key": "42", "plan": "pro"}.'
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        context = attrs.get("context", {})
        key = context.get(TARGETING_KEY, "")
        problems = {
            "Give a key or a context, not both.": len(attrs) > 1,
            f"Give at most {MOST_ENTRIES} attributes.": len(context) > MOST_ENTRIES,
            "targetingKey is OFREP's name. Here it is targeting_key.": "targetingKey" in context,
            "The targeting_key is no text. Send the subject's id.": type(key) not in IDENTIFYING,
        }
        for message in (message for message, holds in problems.items() if holds):
            raise serializers.ValidationError({"context": [message]})
        return attrs


class ExplanationSerializer(serializers.Serializer[Any]):
    """An answer, and each step that led to it."""

    flag = Text()
    active = Boolean()
    value = Value(allow_null=True, help_text="Null where the caller's default counts.")
    variant = Text(allow_null=True)
    reason = Text()
    rule = Integer(allow_null=True)
    error = Text(allow_null=True)
    message = Text()
    targeting_key = Value(allow_null=True)
    broken = Text(allow_null=True)
    prerequisites = serializers.ListField(child=Object())
    rules = serializers.ListField(child=Object())
    share = Object(allow_null=True)
    stage = Integer(allow_null=True)


class FlagQuery(ListQuery):
    """Which flags are listed."""

    archived = serializers.ChoiceField(["false", "true", "any"], default="false")
    enabled = serializers.BooleanField(required=False)
    client_visible = serializers.BooleanField(required=False)
    permanent = serializers.BooleanField(required=False)
    kind = serializers.ChoiceField(Flag.Kind.choices, required=False)
    owner = serializers.CharField(required=False)
    tag = serializers.CharField(required=False)


def _once(entries: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """Return entries whose names differ. Raises ValidationError at those that stand there twice."""
    seen: set[str] = set()
    errors: list[dict[str, Any]] = []
    for entry in entries:
        twice = entry[name] in seen
        errors.append({name: ["It stands there twice."]} if twice else {})
        seen.add(entry[name])
    if any(errors):
        raise serializers.ValidationError(errors)
    return entries
