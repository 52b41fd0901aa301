"""Counts of evaluations by flag, variant and hour: kept in memory, added up in the database."""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import sys
import threading
import time
from collections import Counter, defaultdict
from datetime import datetime
from functools import lru_cache

from django.db import IntegrityError, connections, router, transaction
from django.db.models import F
from django.utils import timezone

from flaggate import conf
from flaggate.core.evaluation import STATIC, UNSET, Evaluation
from flaggate.models import Usage

logger = logging.getLogger("flaggate")

INTERVAL = 60.0  # seconds between two flushes of one process

# One entry for each prepared answer. The dictionary is never replaced, because the hot path holds
# it; entries are taken out one by one, each atomically.
counts: defaultdict[Evaluation, int] = defaultdict(int)

# What has been taken out of the counts since the process began, by flag and variant.
_taken: Counter[tuple[str, str]] = Counter()
_taking = threading.Lock()  # a total must not step back while entries are between the two


class Flushing:
    """When the counts are written next."""

    at = time.monotonic() + INTERVAL

    @classmethod
    def postpone(cls) -> None:
        """Wait for another interval."""
        cls.at = time.monotonic() + INTERVAL


def due() -> bool:
    """Tell whether it is time to write the counts."""
    return time.monotonic() >= Flushing.at


def flush_if_due() -> None:
    """Write the counts if it is time for it."""
    if due():
        flush()


def flush() -> None:
    """Write the counts; inside a transaction or an event loop, leave that to the next call.

    Never raises: a count is not worth a failed request. What can't be written is tried again.
    """
    if not conf.get().RECORD_USAGE:
        _take()
    alias = router.db_for_write(Usage)
    if _in_event_loop() or connections[alias].in_atomic_block:
        return
    Flushing.postpone()
    taken = _take()
    if not taken:
        return
    try:
        with transaction.atomic(using=alias):
            hour = timezone.now().replace(minute=0, second=0, microsecond=0)
            for (flag, variant), count in sorted(taken.items()):
                _add(alias, flag, variant, hour, count)
    except Exception as error:
        _give_back(taken)
        logger.warning("Usage of flags can't be written, and is kept for the next try: %s", error)


def note(flag: str, variant: str, count: int = 1) -> None:
    """Count answers that were used elsewhere, as in a browser."""
    counts[_elsewhere(flag, variant)] += count


@lru_cache(maxsize=10_000)
def _elsewhere(flag: str, variant: str) -> Evaluation:
    """Return one object for each, because answers are counted by identity."""
    return Evaluation(flag, UNSET, False, variant, STATIC)


def totals() -> Counter[tuple[str, str]]:
    """Return how often each flag served each variant since this process began."""
    with _taking:
        return _taken + _by_variant(counts.copy())


def _take() -> Counter[tuple[str, str]]:
    with _taking:
        taken = _by_variant({answer: counts.pop(answer, 0) for answer in list(counts)})
        _taken.update(taken)
    return taken


def _give_back(taken: Counter[tuple[str, str]]) -> None:
    with _taking:
        _taken.subtract(taken)
        for (flag, variant), count in taken.items():
            note(flag, variant, count)


def _by_variant(answers: dict[Evaluation, int]) -> Counter[tuple[str, str]]:
    sums: Counter[tuple[str, str]] = Counter()
    for answer, count in answers.items():
        sums[answer.flag, variant_of(answer)] += count
    return sums


def variant_of(answer: Evaluation) -> str:
    """Return the variant of an answer: ``on`` or ``off`` for a boolean flag, empty for none."""
    if answer.variant is not None:
        return answer.variant
    return ("on" if answer.value else "off") if isinstance(answer.value, bool) else ""


def _add(alias: str, flag: str, variant: str, hour: datetime, count: int) -> None:
    row = Usage.objects.using(alias).filter(flag=flag, variant=variant, hour=hour)
    if row.update(count=F("count") + count):
        return
    try:
        with transaction.atomic(using=alias):
            Usage.objects.using(alias).create(flag=flag, variant=variant, hour=hour, count=count)
    except IntegrityError:  # another process was first
        row.update(count=F("count") + count)


def connect() -> None:
    """Flush what is left when the process ends; a forked child leaves that to its parent."""
    os.register_at_fork(after_in_child=forget)
    # When Django's test runner ends, its database is gone, and the project's own is back.
    if sys.argv[1:2] != ["test"]:
        atexit.register(_flush_at_exit)


def forget() -> None:
    """Count from nothing, as a forked child does; what its parent has counted is its parent's."""
    global _taking
    _taking = threading.Lock()  # another thread of the parent may have held it
    counts.clear()
    _taken.clear()


def _flush_at_exit() -> None:
    if counts:
        flush()


def _in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
