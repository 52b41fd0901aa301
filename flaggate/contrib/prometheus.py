"""Prometheus: what this process knows of its flags, and how often they answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import ImproperlyConfigured

from flaggate import recording
from flaggate.store import status

try:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
    from prometheus_client.registry import Collector
except ImportError as error:
    raise ImproperlyConfigured(
        "flaggate.contrib.prometheus needs the client of Prometheus. "
        "Install it: pip install 'flaggate[prometheus]'"
    ) from error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric


class FlagsCollector(Collector):
    """Collects the metrics of this process when Prometheus asks for them; makes no query."""

    def collect(self) -> Iterator[Metric]:
        """Read the figures; one that is not known is left out."""
        yield from _snapshot()
        yield _evaluations()


def _snapshot() -> Iterator[Metric]:
    now = status()
    yield GaugeMetricFamily(
        "flaggate_snapshot_age_seconds",
        "Time since the flags were last known to be current.",
        now.age,
    )
    yield GaugeMetricFamily(
        "flaggate_snapshot_version",
        "Number of the last change that this process knows of.",
        now.version.number if now.version else None,
    )
    yield CounterMetricFamily(
        "flaggate_snapshot_loads", "How often this process has loaded flags.", now.loads
    )
    yield GaugeMetricFamily(
        "flaggate_snapshot_failures",
        "Looks at the database that failed since the last good one.",
        now.failures,
    )
    yield GaugeMetricFamily(
        "flaggate_quarantined_flags",
        "Flags whose rows are broken.",
        len(now.quarantined),
    )


def _evaluations() -> Metric:
    family = CounterMetricFamily(
        "flaggate_evaluations", "How often a flag served a variant.", labels=["flag", "variant"]
    )
    for labels, count in sorted(recording.totals().items()):
        family.add_metric(labels, count)
    return family
