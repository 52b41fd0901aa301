"""``manage.py flags``, as a shell would call it, but in this process."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command


def flags(*arguments: object, **options: Any) -> str:
    """Run a sub-command and return what it prints, its last line break left out."""
    printed = StringIO()
    call_command("flags", *map(str, arguments), stdout=printed, **options)
    return printed.getvalue().removesuffix("\n")


def document(*arguments: object) -> Any:
    """Run a sub-command and return its JSON."""
    return json.loads(flags(*arguments, "--format", "json"))


def refusal(*arguments: object) -> str:
    """Run a sub-command that is refused, and return why."""
    with pytest.raises(CommandError) as refused:
        flags(*arguments)
    assert refused.value.returncode == 1
    return str(refused.value)
