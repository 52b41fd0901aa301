"""Progressive rollouts: start, pause, resume, stop, complete.

Nothing has to run in between: which stage holds is a function of the clock.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from flaggate.changes.actions import flag_of, fresh, unarchived
from flaggate.changes.change import change
from flaggate.changes.together import to_percentage
from flaggate.core.definitions import Problem
from flaggate.core.messages import Message
from flaggate.core.stages import position
from flaggate.exceptions import ChangeRefused, Invalid
from flaggate.models import Flag, Rollout, Stage
from flaggate.models.revisions import named
from flaggate.models.rollouts import schedule_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    Plan = Sequence[tuple[Decimal | float | int, timedelta | None]]

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
STAGE = re.compile(r"\s*([0-9.]+)\s*%?\s*(?::\s*([0-9]{1,6})\s*([smhdw])\s*)?", re.ASCII)


def to_plan(text: str) -> list[tuple[Decimal, timedelta | None]]:
    """Read stages such as ``5:1d,25:12h,100``: percent, and how long (s, m, h, d or w).

    Raises Invalid.
    """
    plan = []
    for part in text.split(","):
        found = STAGE.fullmatch(part)
        if found is None:
            problem = Message(
                "%(text)r is no stage. Write them like 5:1d,25:12h,100.", text=part.strip()
            )
            raise Invalid("rollout", [Problem("stages", problem)])
        percentage, number, unit = found.groups()
        holds = timedelta(seconds=int(number) * UNITS[unit]) if number else None
        plan.append((to_percentage("rollout", percentage), holds))
    return plan


def start(key: str, plan: Plan = (), *, at: datetime | None = None, **how: Any) -> Flag:
    """Start a rollout of the given stages, or of those that the flag has; now, or ``at`` a moment.

    A plan is a list of percentages and timedeltas; the last may be None, which holds until the
    rollout is completed. Stages may not fall. The flag is turned on, too. Raises UnknownFlag,
    ChangeRefused and Invalid.
    """
    with change(**how):
        flag = unarchived(key)
        if _rollout(flag) is not None:
            raise ChangeRefused(
                Message(
                    "%(name)s: a rollout is running. Stop or complete it first.",
                    name=named("flag", key),
                )
            )
        if plan:
            flag.stages.all().delete()
            Stage.objects.bulk_create(
                Stage(flag=flag, order=order, percentage=percentage, holds=holds)
                for order, (percentage, holds) in enumerate(plan)
            )
        flag.enabled = True
        flag.save()
        Rollout.objects.create(flag=flag, started_at=at or timezone.now())
    return fresh(flag)


def pause(key: str, **how: Any) -> Flag:
    """Freeze a rollout at the stage that holds now.

    Raises UnknownFlag, and ChangeRefused where none runs.
    """
    with change(**how):
        flag, rollout = _running(key)
        rollout.paused_at = rollout.paused_at or timezone.now()
        rollout.save()
    return fresh(flag)


def resume(key: str, **how: Any) -> Flag:
    """Go on with a paused rollout: the stage holds for what was left of its time.

    Raises UnknownFlag, and ChangeRefused where none runs.
    """
    with change(**how):
        flag, rollout = _running(key)
        if rollout.paused_at is not None:
            rollout.started_at += timezone.now() - rollout.paused_at
            rollout.paused_at = None
            rollout.save()
    return fresh(flag)


def stop(key: str, **how: Any) -> Flag:
    """End a rollout where it is: the share of this stage becomes the flag's own percentage.

    Raises UnknownFlag, and ChangeRefused where none runs.
    """
    with change(**how):
        flag, rollout = _running(key)
        stages = schedule_of(rollout)
        held = position(stages, timezone.now())
        _end(flag, rollout, flag.percentage if held is None else stages[held].percentage)
    return fresh(flag)


def complete(key: str, **how: Any) -> Flag:
    """End a rollout at the share of its last stage, now.

    Raises UnknownFlag, and ChangeRefused where none runs.
    """
    with change(**how):
        flag, rollout = _running(key)
        last = flag.stages.order_by("order", "pk").last()
        _end(flag, rollout, last.percentage if last else flag.percentage)
    return fresh(flag)


def _end(flag: Flag, rollout: Rollout, percentage: Decimal) -> None:
    rollout.delete()
    flag.stages.all().delete()
    flag.percentage = percentage
    flag.save()


def _rollout(flag: Flag) -> Rollout | None:
    found: Rollout | None = Rollout.objects.using(flag._state.db).filter(flag=flag).first()
    return found


def _running(key: str) -> tuple[Flag, Rollout]:
    flag = flag_of(key)
    rollout = _rollout(flag)
    if rollout is None:
        raise ChangeRefused(
            Message(
                "%(name)s: no rollout is running. Start one, by its stages.",
                name=named("flag", key),
            )
        )
    return flag, rollout
