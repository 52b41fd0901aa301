"""Revisions, which nobody writes."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from flaggate.api.management.fields import (
    Choice,
    Integer,
    Moment,
    Object,
    Text,
)
from flaggate.api.management.serializers.strict import (
    StrictSerializer,
)
from flaggate.models import Revision


class RevisionLineSerializer(StrictSerializer):
    """Who changed what, when, from where and why."""

    id = Integer()
    subject = Choice(Revision.Subject.choices)
    key = Text()
    version = Integer()
    created = Moment()
    actor = Text(help_text="A user's name, “key:” and an API key's, or nothing.")
    source = Text()  # type: ignore[assignment]
    comment = Text()
    differences = serializers.ListField(child=Text(), help_text="What changed, in words.")


class RevisionSerializer(RevisionLineSerializer):
    """A revision with all that was before and after."""

    before = Object(allow_null=True)
    after = Object(allow_null=True)


class RevisionQuery(serializers.Serializer[Any]):
    """Which revisions are listed."""

    subject = serializers.ChoiceField(Revision.Subject.choices, required=False)
    key = serializers.CharField(required=False)
    actor = serializers.CharField(required=False)
    source = serializers.CharField(required=False)  # type: ignore[assignment]
