"""Flags of which what is stored is broken: why, and what is served instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from flaggate.flags import pin
from flaggate.models import wording

if TYPE_CHECKING:
    from django.http import HttpRequest

    from flaggate.core.definitions import Quarantined
    from flaggate.models import Flag


def state(request: HttpRequest, flag: Flag) -> str:
    """Say in words who gets a flag, broken or not."""
    served = instead(why(request, flag.key))
    return served[1] if served else wording.state(flag)


def why(request: HttpRequest, key: str) -> Quarantined | None:
    """Find why a flag is quarantined; None where it is not."""
    return pin(request).snapshot.quarantined.get(key)


def served(request: HttpRequest) -> dict[str, str]:
    """Find as what each quarantined flag is served: "on", "off", or "" where it is as stored."""
    found = pin(request).snapshot.quarantined
    return {key: (instead(why) or ("",))[0] for key, why in found.items()}


def instead(found: Quarantined | None) -> tuple[str, str] | None:
    """Say what is served instead of what is stored: "on" or "off", and that in words.

    None where it is served as it is stored, or is off anyway.
    """
    if found is None or found.killed:
        return None
    good = found.last_good
    if good and good.enabled and not good.archived:
        return "on", _("on, by its last good definition")
    return "off", _("off for everyone until it is mended")
