"""A process that starts while the database is gone has the flags of a file."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

import flaggate
from flaggate import changes
from flaggate.changes import rollouts
from flaggate.models import Condition, Flag, Prerequisite, Rule, Segment, SegmentMember, state
from flaggate.store import bootstrap, status, store

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture
def path(tmp_path: Path, settings: Any) -> Path:
    """The file of a project with a flag of every kind."""
    path = tmp_path / "flags.json"
    settings.FLAGGATE = {"BOOTSTRAP": str(path), "MAX_STALENESS": 0}
    with changes.change():
        required = Flag.objects.create(key="required", enabled=True)
        segment = Segment.objects.create(key="beta", match="any")
        Condition.objects.create(
            segment=segment, attribute="plan", operator="one_of", values=["gold", 1, 1.0, True]
        )
        SegmentMember.objects.create(segment=segment, targeting_key="é")
        SegmentMember.objects.create(segment=segment, targeting_key="43", excluded=True)
        flag = Flag.objects.create(
            key="x",
            enabled=True,
            percentage="33.333",
            off_variant="b",
            active_until=datetime(2100, 1, 1, tzinfo=UTC),
        )
        flag.variants.create(key="a", value={"n": 1.0, "é": [True, 1]}, weight=3)
        flag.variants.create(key="b", value="off", weight=0)
        Rule.objects.create(flag=flag, variant="a").segments.add(segment)
        Prerequisite.objects.create(flag=flag, required=required)
    changes.create("rising")
    rollouts.start("rising", [(5, timedelta(days=1)), (100, None)])
    call_command("flags", "export", "--bootstrap", verbosity=0)
    return path


@pytest.fixture
def gone(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Begin as a process that finds no database."""

    def refuse(using: str) -> None:
        raise OperationalError("connection refused")

    def begin() -> None:
        monkeypatch.setattr(state, "read", refuse)
        store.__init__()

    return begin


def test_the_file_gives_back_what_was_written(path: Path) -> None:
    written, found = store.snapshot, bootstrap.read(path)
    assert dict(found.flags) == dict(written.flags)
    assert dict(found.segments) == dict(written.segments)


def test_a_start_without_a_database_answers_from_the_file(
    path: Path, gone: Callable[[], None]
) -> None:
    gone()
    assert flaggate.variant("x", "é") == "a"
    assert status().source == "bootstrap"


def test_what_is_forgotten_is_read_from_the_file_again(
    path: Path, gone: Callable[[], None]
) -> None:
    gone()
    for _ in range(2):
        assert flaggate.variant("x", "é") == "a"
        store.forget()


def test_the_database_is_asked_again_and_wins(
    path: Path, monkeypatch: pytest.MonkeyPatch, gone: Callable[[], None]
) -> None:
    read = state.read
    gone()
    assert flaggate.variant("x", "é") == "a"
    monkeypatch.setattr(state, "read", read)
    store._due = 0
    changes.disable("x")
    assert not flaggate.is_active("x", "é")
    assert status().source == "database"


def test_without_a_file_defaults_are_served_and_said_once(
    path: Path, gone: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    path.unlink()
    gone()
    for failures in (1, 2, 3):
        store._due = 0
        assert not flaggate.is_active("x", "é")
        assert store.failures == failures
    said = [each for each in caplog.records if "bootstrap file" in each.message]
    assert len(said) == 1


SPOILT: dict[str, Callable[[Any], Any]] = {
    "cut": lambda document: json.dumps(document)[:-20],
    "empty": lambda document: "",
    "no object": lambda document: "[]",
    "edited": lambda document: json.dumps(document).replace("33.333", "66.666"),
    "another schema": lambda document: json.dumps({**document, "schema": 2}),
    "deep": lambda document: "[" * 100_000,
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_file_that_is_not_whole_is_refused_whole(
    path: Path, gone: Callable[[], None], name: str, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_text(SPOILT[name](json.loads(path.read_text())))
    gone()
    assert not flaggate.is_active("x", "é")
    assert status().source == "defaults"
    assert [each for each in caplog.records if each.levelno == logging.ERROR]


def test_a_field_that_this_release_does_not_know_is_refused(path: Path) -> None:
    document = json.loads(path.read_text())
    document["body"]["flags"][0]["newer"] = 1
    document["checksum"] = bootstrap._checksum(document["body"])
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match="can't read"):
        bootstrap.read(path)


def test_an_export_that_fails_leaves_the_old_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = path.read_text()

    def full(descriptor: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(bootstrap.os, "fsync", full)
    with pytest.raises(CommandError, match="no space left"):
        call_command("flags", "export", "--bootstrap", verbosity=0)
    assert path.read_text() == before
    assert list(path.parent.iterdir()) == [path]


def test_the_whole_file_is_on_the_disk_before_it_takes_its_place(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(bootstrap.os, "fsync", lambda file: sizes.append(os.fstat(file).st_size))
    bootstrap.write(path, {}, {})
    assert sizes == [path.stat().st_size]


def test_an_interruption_is_told_even_when_the_file_is_in_its_place(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def interrupted(self: Path, target: Path) -> None:
        replace(self, target)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        bootstrap.write(path, {}, {})
    assert dict(bootstrap.read(path).flags) == {}


def test_a_file_whose_fields_stand_in_another_order_is_whole(path: Path) -> None:
    before = dict(bootstrap.read(path).flags)
    path.write_text(json.dumps(json.loads(path.read_text()), sort_keys=True))
    assert dict(bootstrap.read(path).flags) == before


def test_an_export_without_a_file_to_write_says_so(path: Path, settings: Any) -> None:
    settings.FLAGGATE = {}
    with pytest.raises(CommandError, match=r"set FLAGGATE\['BOOTSTRAP'\]"):
        call_command("flags", "export", "--bootstrap", verbosity=0)


def test_an_export_without_the_database_writes_nothing(
    path: Path, gone: Callable[[], None]
) -> None:
    before = path.read_text()
    gone()
    with pytest.raises(CommandError, match="connection refused"):
        call_command("flags", "export", "--bootstrap", verbosity=0)
    assert path.read_text() == before
