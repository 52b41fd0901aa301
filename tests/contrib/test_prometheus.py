"""Prometheus: the figures of this process, as a scrape reads them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError
from django.test import override_settings
from prometheus_client import CollectorRegistry, generate_latest

import flaggate
from flaggate import changes, recording
from flaggate.contrib.prometheus import FlagsCollector
from flaggate.models import Flag, state
from flaggate.store import store
from tests.databases import ROOT
from tests.fixtures import layouts, released

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    """Begin, and leave, as a process that has read and answered nothing yet."""
    store.__init__()
    recording.forget()
    with override_settings(FLAGGATE={"MAX_STALENESS": 0}):
        yield
    store.__init__()
    recording.forget()


@pytest.fixture
def registry() -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=True)  # as the client's own is
    registry.register(FlagsCollector())
    return registry


def asked(registry: CollectorRegistry, flag: str, variant: str) -> float | None:
    labels = {"flag": flag, "variant": variant}
    return registry.get_sample_value("flaggate_evaluations_total", labels)


def test_evaluations_are_counted_by_flag_and_variant(registry):
    released("new_checkout")
    layouts("price_layout")
    for _ in range(3):
        flaggate.is_active("new_checkout")
    flaggate.variant("price_layout")
    assert asked(registry, "new_checkout", "on") == 3
    assert asked(registry, "price_layout", "compact") == 1
    assert asked(registry, "new_checkout", "off") is None


@pytest.mark.parametrize("records", [True, False])
def test_counts_stay_when_usage_is_written_and_where_it_is_not_recorded(registry, records):
    released("new_checkout")
    with override_settings(FLAGGATE={"RECORD_USAGE": records}):
        flaggate.is_active("new_checkout")
        recording.flush()
        assert asked(registry, "new_checkout", "on") == 1
        flaggate.is_active("new_checkout")
        assert asked(registry, "new_checkout", "on") == 2


def test_the_snapshot_is_told(registry):
    changes.create("first")
    store.current()
    value = registry.get_sample_value
    assert value("flaggate_snapshot_version") == flaggate.status().version.number
    assert value("flaggate_snapshot_loads_total") == 1
    assert value("flaggate_snapshot_failures") == 0
    assert value("flaggate_quarantined_flags") == 0
    changes.create("second")
    store.current()
    assert value("flaggate_snapshot_loads_total") == 2


def test_the_age_is_counted_from_the_last_look(registry):
    with time_machine.travel(datetime(2026, 5, 4, 12, tzinfo=UTC), tick=False) as clock:
        store.current()
        clock.shift(timedelta(seconds=90))
        assert registry.get_sample_value("flaggate_snapshot_age_seconds") == 90
        store.current()
        assert registry.get_sample_value("flaggate_snapshot_age_seconds") == 0


def test_failures_are_told(registry, monkeypatch):
    def refuse(using: str) -> None:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(state, "read", refuse)
    store.current()
    assert registry.get_sample_value("flaggate_snapshot_failures") == 1


def test_quarantined_flags_are_counted(registry):
    changes.create("broken")
    Flag.objects.filter(key="broken").update(off_variant="gone")
    store.current()
    assert registry.get_sample_value("flaggate_quarantined_flags") == 1


def test_what_is_not_known_is_left_out(registry):
    assert registry.get_sample_value("flaggate_snapshot_age_seconds") is None
    assert registry.get_sample_value("flaggate_snapshot_version") is None


def test_a_scrape_makes_no_query(registry, django_assert_num_queries):
    released("new_checkout")
    flaggate.is_active("new_checkout")
    with django_assert_num_queries(0):
        text = generate_latest(registry).decode()
    assert 'flaggate_evaluations_total{flag="new_checkout",variant="on"} 1.0' in text


FORK = """
import django, os, sys; django.setup()
import flaggate
from flaggate import recording

recording.counts[flaggate.Evaluation("before", True, True, None, "STATIC")] += 1
recording.totals()
if child := os.fork():
    os.waitpid(child, 0)
print("parent" if child else "child", len(recording.totals()), flush=True)
os._exit(0)
"""


def test_a_child_counts_from_nothing():
    done = subprocess.run(
        [sys.executable, "-c", FORK],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert sorted(done.stdout.splitlines()) == ["child 0", "parent 1"]


def test_without_the_client_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "prometheus_client.core", None)
    monkeypatch.delitem(sys.modules, "flaggate.contrib.prometheus")
    with pytest.raises(ImproperlyConfigured, match=r"pip install 'flaggate\[prometheus\]'"):
        import flaggate.contrib.prometheus  # noqa: F401
