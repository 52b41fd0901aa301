"""Messages of the core in the reader's language."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext

from flaggate.core.messages import Message


def translated(message: Any) -> Any:
    """Translate a message, and those within it; anything else stays what it is."""
    if not isinstance(message, Message):
        return message
    values = {name: translated(value) for name, value in message.values.items()}
    return gettext(message.template) % values
