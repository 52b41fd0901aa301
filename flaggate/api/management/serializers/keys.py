"""API keys, whose secret is shown once."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from flaggate.api.keys import LONGEST_NAME, OVERLAP
from flaggate.api.management.fields import Choice, Many, Moment, Number, Text
from flaggate.api.management.serializers.strict import CommentedSerializer, StrictSerializer
from flaggate.models import ApiKey

MOST_OVERLAP = 30 * 86_400  # seconds


class KeySerializer(StrictSerializer):
    """An API key, without its secret."""

    name = Text()
    prefix = Text(help_text="What its secret begins with, and what it is called by here.")
    scopes = serializers.ListField(child=Text())
    state = Text(help_text="Whether it opens anything now, in words.")
    created = Moment()
    created_by = Text(help_text="A user's name, or nothing.")
    expires_at = Moment(allow_null=True)
    last_used_at = Moment(allow_null=True, help_text="Within an hour.")
    revoked_at = Moment(allow_null=True)


class IssuedSerializer(KeySerializer):
    """A new API key with its secret, which nobody can show again."""

    secret = Text()


class NewKeySerializer(CommentedSerializer):
    """An API key to be made."""

    name = Text(max_length=LONGEST_NAME)
    scopes = Many(
        child=Choice(ApiKey.Scope.choices), allow_empty=False, max_length=len(ApiKey.Scope)
    )
    expires_at = Moment(default=None, allow_null=True)


class OverlapSerializer(CommentedSerializer):
    """For how many seconds the old secret goes on working."""

    overlap = Number(default=OVERLAP.total_seconds(), min_value=0, max_value=MOST_OVERLAP)


class KeyQuery(serializers.Serializer[Any]):
    """Which keys are listed."""

    name = serializers.CharField(required=False)
