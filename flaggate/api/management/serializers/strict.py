"""What all serializers of the management API have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers

from flaggate.api.management.fields import MOST_NAMED, Text
from flaggate.core import validation

KEY = re.compile(rf"\A{validation.KEY.pattern}\Z")
MOST_COMMENT = 1000  # characters
MOST_ENTRIES = 1000


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses names that it does not know."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and (unknown := data.keys() - self.fields.keys()):
            known = ", ".join(self._declared_fields)
            message = f"There is no such field. There are: {known}."
            named = sorted(unknown)[:MOST_NAMED]
            raise serializers.ValidationError({name: [message] for name in named})
        return super().to_internal_value(data)

    def get_initial(self) -> Any:
        """Return what a form of the browsable pages begins with: what counts where nothing is sent.

        Fields that may be left out, and have no default, are.
        """
        if hasattr(self, "initial_data"):
            return super().get_initial()
        fields = [each for each in self._writable_fields if each.required or _given(each.default)]
        return {each.field_name: _begun(each) for each in fields}

    def take_only(self, names: Iterable[str]) -> None:
        """Leave out all other fields: what PATCH changes.

        REST framework's ``partial`` would leave out what is missing inside of these, too.
        """
        for name in self.fields.keys() - set(names):
            del self.fields[name]


def _given(default: Any) -> bool:
    """Whether a field has a default; None is one."""
    return default is not serializers.empty


def _begun(field: Any) -> Any:
    if not _given(field.default):
        return field.get_initial()
    return field.default() if callable(field.default) else field.default


class CommentedSerializer(StrictSerializer):
    """A write, and why it is made."""

    comment = Text(
        write_only=True,
        required=False,
        allow_blank=True,
        max_length=MOST_COMMENT,
        help_text="Why: kept in the history.",
    )


def several(child: StrictSerializer, **options: Any) -> serializers.ListSerializer[Any]:
    """Return the field of a list of entries."""
    return serializers.ListSerializer(child=child, **{"max_length": MOST_ENTRIES, **options})


class Key(Text):
    """The key of a flag, segment or variant."""

    def __init__(self, **options: Any) -> None:
        wanted = RegexValidator(
            KEY, "Use letters, digits, “.”, “_” and “-”, first a letter or digit."
        )
        super().__init__(validators=[wanted], **{"max_length": validation.MAX_KEY, **options})


class CommentQuery(serializers.Serializer[Any]):
    """Why something is deleted: a DELETE has no body."""

    comment = serializers.CharField(required=False, allow_blank=True, max_length=MOST_COMMENT)


class ListQuery(serializers.Serializer[Any]):
    """Which flags or segments are listed, in which order."""

    search = serializers.CharField(
        required=False, allow_blank=True, help_text="A part of the key, or of what is said of it."
    )
    ordering = serializers.ChoiceField(
        [*("key", "-key"), *("created", "-created"), *("modified", "-modified")], default="key"
    )
