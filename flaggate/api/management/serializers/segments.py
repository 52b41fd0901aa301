"""Segments and their members."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from flaggate.api.management.fields import (
    Boolean,
    Choice,
    Integer,
    Many,
    Moment,
    Text,
    Value,
)
from flaggate.api.management.serializers.strict import (
    CommentedSerializer,
    Key,
    StrictSerializer,
    several,
)
from flaggate.core import validation
from flaggate.core.operators import OPERATORS
from flaggate.models import Segment

MOST_VALUES = 10_000  # of one condition; more are members


class ConditionSerializer(StrictSerializer):
    """An attribute, an operator, and operands of which one must match."""

    attribute = Text(default="", allow_blank=True, max_length=validation.MAX_NAME)
    operator = Choice([(name, operator.label) for name, operator in OPERATORS.items()])
    values = Many(child=Value(), default=list, max_length=MOST_VALUES)
    negate = Boolean(default=False)
    ignore_case = Boolean(default=False)


class CountsSerializer(StrictSerializer):
    """How many members there are."""

    included = Integer()
    excluded = Integer()


class SegmentSerializer(CommentedSerializer):
    """A segment as one document; its members have addresses of their own."""

    key = Key(max_length=validation.MAX_SEGMENT_KEY)
    name = Text(default="", allow_blank=True, max_length=200)
    description = Text(default="", allow_blank=True)
    match = Choice(Segment.Match.choices, default=Segment.Match.ALL.value)
    on_demand = Boolean(default=False)
    conditions = several(ConditionSerializer(), default=list)
    members = CountsSerializer(read_only=True)
    version = Integer(read_only=True)
    created = Moment(read_only=True)
    modified = Moment(read_only=True)


class MembersSerializer(CommentedSerializer):
    """Targeting keys to include, or to exclude."""

    keys = Many(child=Text(max_length=200), allow_empty=False)
    excluded = Boolean(default=False, help_text="The list of those who are out in any case.")


class MemberSerializer(StrictSerializer):
    """One member."""

    targeting_key = Text()
    excluded = Boolean()


class TallySerializer(StrictSerializer):
    """What a bulk of members changed."""

    added = Integer()
    removed = Integer()
    unchanged = Integer()
    segment = SegmentSerializer()


class MemberQuery(serializers.Serializer[Any]):
    """Which members are listed."""

    excluded = serializers.BooleanField(required=False)
    search = serializers.CharField(required=False, help_text="What the key begins with.")
