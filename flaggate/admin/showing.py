"""Flags as admin shows them: state with a sign, share as a bar, buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _

from flaggate.admin.confirming import address
from flaggate.admin.quarantine import instead
from flaggate.admin.verbs import verbs_for
from flaggate.models import wording
from flaggate.models.documents import number
from flaggate.templatetags.flaggate_moments import zoned

if TYPE_CHECKING:
    from collections.abc import Collection
    from decimal import Decimal

    from django.utils.safestring import SafeString

    from flaggate.core.definitions import Quarantined
    from flaggate.models import Flag

SIGNS = {"on": "●", "off": "○", "archived": "▣", "over": "◌", "scheduled": "◔"}


def state(flag: Flag, broken: Quarantined | None = None) -> SafeString:
    """Say in words, after a sign, who gets a flag."""
    return _signed(*(instead(broken) or (wording.switched(flag), wording.state(flag))))


def switch(flag: Flag, broken: Quarantined | None = None) -> SafeString:
    """Say in words, after a sign, whether a flag is on."""
    return _signed(*(instead(broken) or (wording.switched(flag), wording.switch(flag))))


def quarantined() -> SafeString:
    """Say that what is stored of a flag is broken."""
    return format_html(
        '<strong class="flaggate-broken"><span aria-hidden="true">⚠</span> {}</strong>',
        _("quarantined"),
    )


def audience(flag: Flag, broken: Quarantined | None = None) -> SafeString | str:
    """Say for whom a flag is, or would be, with the share as a bar, and the stage."""
    if instead(broken):
        return "–"
    now = timezone.now()
    share = wording.percentage(flag, now)
    return format_html(
        "{} {}{}",
        format_html('<div class="flaggate-line">{}</div>', zoned(wording.targeting(flag, now))),
        bar(share) if share or not flag.rules.all() else "",  # "0 %" beside who does get it
        format_html('<div class="flaggate-line">{}</div>', zoned(wording.progress(flag, now))),
    )


def bar(share: Decimal) -> SafeString:
    """Draw a share, with its number."""
    return format_html(
        '<span class="flaggate-meter"><svg viewBox="0 0 100 8" preserveAspectRatio="none" '
        'aria-hidden="true"><rect class="flaggate-track" width="100" height="8"/>'
        '<rect class="flaggate-fill" width="{}" height="8"/></svg> {}</span>',
        str(number(share)),
        wording.percent(share),
    )


def shares(flag: Flag) -> str:
    """Say what each variant gets of everyone else, and how many remain off."""
    variants, whole = list(flag.variants.all()), wording.percentage(flag, timezone.now())
    total = sum(variant.weight for variant in variants) or 1
    said = [f"{each.key} {_percent(whole * each.weight / total)}" for each in variants]
    if whole < 100:
        said.append(_("%(share)s remain off") % {"share": _percent(100 - whole)})
    return ", ".join(said) if variants else ""


def buttons(
    flag: Flag,
    user: Any,
    names: Collection[str],
    back: str = "",
    broken: Quarantined | None = None,
) -> SafeString:
    """Link to what a user may do to a flag, of the verbs that are named."""
    offered = [verb for verb in verbs_for(user, flag, broken is not None) if verb.name in names]
    return format_html_join(
        " ",
        '<a class="flaggate-button" href="{}" aria-label="{}">{}</a>',
        (
            (address(verb.name, [flag], back), f"{verb.label}: {flag.key}", verb.label)
            for verb in offered
        ),
    )


def _signed(name: str, words: str) -> SafeString:
    return format_html(
        '<span class="flaggate-state flaggate-{}"><span aria-hidden="true">{}</span> {}</span>',
        name,
        SIGNS[name],
        zoned(words),
    )


def _percent(share: Decimal) -> str:
    return wording.rounded(float(share))
