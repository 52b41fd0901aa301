"""Make, rotate and revoke API keys; each is recorded, and none returns a secret a second time.

All take the keyword arguments ``actor``, ``source`` and ``comment``, as ``changes.change()`` does.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from flaggate.api.scopes import exceeding
from flaggate.core.definitions import Problem
from flaggate.core.messages import Message
from flaggate.exceptions import ChangeRefused, Invalid, NotPermitted
from flaggate.models import ApiKey, Revision, state, wording
from flaggate.models.revisions import signed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flaggate.models.documents import Document

MARK = "fgk_"  # by which people, and scanners of code, know a secret of flaggate
OVERLAP = timedelta(days=1)  # that the old secret goes on working for, after a rotation
LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Issued:
    """A key and its secret, which nobody can show again."""

    key: ApiKey
    secret: str


def digest(secret: str) -> str:
    """Return what is stored of a secret.

    A fast hash is enough: the secret is 256 random bits, which nobody finds by trying. A slow one
    is for passwords, and would cost each request what it costs an attacker.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def create(
    name: str, scopes: Iterable[str], *, expires_at: datetime | None = None, **how: Any
) -> Issued:
    """Make a key. Raises Invalid, and NotPermitted also where its scopes exceed the actor's."""
    scopes = list(dict.fromkeys(scopes))
    with transaction.atomic(using=state.alias()):
        permit(how.get("actor"), "add_apikey", scopes)
        if found := problems(name, scopes, expires_at):
            raise Invalid(Message("API key %(name)s", name=name), found)
        return _issue(name, scopes, expires_at, how)


def rotate(key: ApiKey, *, overlap: timedelta = OVERLAP, **how: Any) -> Issued:
    """Give a key's holder a new secret; the old one works for ``overlap`` longer, and no more.

    The new one lives as long as the old one would have. Raises ChangeRefused, also where the key
    has a successor that works: whoever rotates it once more has missed the first answer.
    Raises NotPermitted.
    """
    now = timezone.now()
    with transaction.atomic(using=state.alias()):
        key, before = _locked(key)
        permit(how.get("actor"), "change_apikey", key.scopes)
        if not key.usable(now):
            raise ChangeRefused(
                Message("API key %(key)s: is revoked or expired. Create a new one.", key=key)
            )
        if overlap < timedelta(0):
            raise ChangeRefused(
                Message("overlap: is below zero. Give how long the old secret still works.")
            )
        last = ApiKey.objects.using(state.alias()).filter(name=key.name).latest("pk")
        if last.pk != key.pk and last.usable(now):
            raise ChangeRefused(
                Message(
                    "API key %(key)s: was rotated already, into %(successor)s. Rotate that one; or "
                    "revoke it, if nobody has its secret, and rotate this one again.",
                    key=key,
                    successor=last.prefix,
                )
            )
        issued = _issue(key.name, key.scopes, last.expires_at, how)
        key.expires_at = min(filter(None, (key.expires_at, now + overlap)))
        key.save(update_fields=["expires_at"])
        _record(key, before, how)
    return issued


def revoke(key: ApiKey, **how: Any) -> ApiKey:
    """Close what a key opens: at once in this process, within half a minute in all others.

    Raises NotPermitted.
    """
    with transaction.atomic(using=state.alias()):
        key, before = _locked(key)
        permit(how.get("actor"), "change_apikey", ())
        if key.revoked_at is None:
            key.revoked_at = timezone.now()
            key.save(update_fields=["revoked_at"])
            _record(key, before, how)
    return key


def usable(named: str) -> models.QuerySet[ApiKey]:
    """Find the keys of a name, or the one of a prefix, that open anything now; the newest first."""
    now = timezone.now()
    return ApiKey.objects.using(state.alias()).filter(
        models.Q(name=named) | models.Q(prefix=named),
        models.Q(expires_at=None) | models.Q(expires_at__gt=now),
        revoked_at=None,
    )


def state_of(key: ApiKey) -> str:
    """Say in words whether a key opens anything now, and until when."""
    if key.revoked_at:
        return _("revoked %s") % wording.moment(key.revoked_at)
    if not key.expires_at:
        return _("usable")
    usable = key.usable(timezone.now())
    word = _("usable until %s") if usable else _("expired %s")
    return word % wording.moment(key.expires_at)


def document(key: ApiKey) -> Document:
    """Describe a key as JSON; of its secret there is nothing in it."""
    return {
        "name": key.name,
        "prefix": key.prefix,
        "scopes": key.scopes,
        "expires_at": _written(key.expires_at),
        "revoked_at": _written(key.revoked_at),
    }


def _issue(
    name: str, scopes: list[str], expires_at: datetime | None, how: dict[str, Any]
) -> Issued:
    prefix = MARK + secrets.token_bytes(5).hex()
    secret = f"{prefix}_{secrets.token_bytes(32).hex()}"
    key = ApiKey.objects.using(state.alias()).create(
        name=name,
        prefix=prefix,
        digest=digest(secret),
        scopes=scopes,
        expires_at=expires_at,
        created_by_id=signed(how.get("actor"))["actor_id"],
    )
    _record(key, None, how)
    return Issued(key, secret)


def _locked(key: ApiKey) -> tuple[ApiKey, Document]:
    """Read a key again, for a change of it, and what it was before."""
    found = ApiKey.objects.using(state.alias()).select_for_update().get(pk=key.pk)
    return found, document(found)


def _record(key: ApiKey, before: Document | None, how: dict[str, Any]) -> None:
    earlier = Revision.objects.using(state.alias()).filter(
        subject=Revision.Subject.KEY, key=key.prefix
    )
    Revision.objects.using(state.alias()).create(
        subject=Revision.Subject.KEY,
        key=key.prefix,
        version=earlier.count() + 1,
        source=how.get("source", "code"),
        comment=how.get("comment", ""),
        before=before,
        after=document(key),
        **signed(how.get("actor")),
    )


def permit(actor: Any, permission: str, scopes: Iterable[str]) -> None:
    """Raise NotPermitted where an actor may not do this to a key of these scopes."""
    if actor is None:
        return
    lacking = exceeding(actor, scopes)
    if not actor.has_perm(f"flaggate.{permission}"):
        lacking.insert(0, permission)
    if lacking:
        raise NotPermitted(
            Message(
                "API key: %(actor)s lacks the permission %(permissions)s. Nobody hands out what "
                "they may not do themselves; ask an administrator.",
                actor=actor,
                permissions=", ".join(f"flaggate.{name}" for name in lacking),
            )
        )


def problems(name: str, scopes: list[str], expires_at: datetime | None) -> list[Problem]:
    """Find what is wrong with a key to be made."""
    found = []
    if not (name.strip() == name and name.isprintable() and 1 <= len(name) <= LONGEST_NAME):
        problem = Message(
            "is %(name)r. Use 1 to %(limit)d characters, without spaces around them.",
            name=name,
            limit=LONGEST_NAME,
        )
        found.append(Problem("name", problem))
    elif name.startswith(MARK):
        problem = Message("starts with %(mark)r, as prefixes do. Use a name.", mark=MARK)
        found.append(Problem("name", problem))
    elif usable(name).exists():
        problem = Message("%(name)r has a key. Rotate or revoke that, or use another.", name=name)
        found.append(Problem("name", problem))
    unknown = [scope for scope in scopes if scope not in ApiKey.Scope.values]
    if unknown or not scopes:
        problem = Message(
            "are %(given)s. Use some of %(known)s.",
            given=", ".join(unknown) or Message("none"),
            known=", ".join(ApiKey.Scope.values),
        )
        found.append(Problem("scopes", problem))
    if expires_at is not None and expires_at <= timezone.now():
        problem = Message("has passed. Give a moment to come, or none.")
        found.append(Problem("expires_at", problem))
    return found


def _written(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
