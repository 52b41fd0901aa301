"""A change reaches other processes, and never half of it."""

import subprocess
import time

import pytest

from tests.databases import SharedDatabase, finish

pytestmark = pytest.mark.database

READER = """
    say("ready")
    while hear() == "ask":
        say(flaggate.is_active("x"))
"""

# Rows of two tables are always switched together: whoever sees one of them must see the other.
TORN = """
    deadline = time.monotonic() + 3
    torn = 0
    answers = set()
    while time.monotonic() < deadline:
        flags = flaggate.flags_for()
        store._due = 0
        left, right = flags.is_active("left"), flags.variant("right") == "on"
        torn += left != right
        answers.add(left)
    say(torn, len(answers))
"""

SWITCHER = """
    from django.db import transaction
    deadline = time.monotonic() + 3.5
    while time.monotonic() < deadline:
        for enabled in (True, False):
            with changes.change():
                Flag.objects.filter(key="left").update(enabled=enabled)
                Variant.objects.filter(key="on").update(weight=int(enabled))
                Variant.objects.filter(key="off").update(weight=int(not enabled))
            try:
                with changes.change():
                    Flag.objects.filter(key="left").update(enabled=not enabled)
                    raise RuntimeError
            except RuntimeError:
                pass
"""


def ask(reader: "subprocess.Popen[str]") -> bool:
    reader.stdin.write("ask\n")
    reader.stdin.flush()
    return reader.stdout.readline() == "True\n"


def test_a_second_process_follows_within_its_max_staleness(
    shared_database: SharedDatabase,
) -> None:
    shared_database.run('changes.create("x")')
    reader = shared_database.start(READER)
    assert reader.stdout.readline() == "ready\n"
    writer = shared_database.start("""
        say("ready")
        hear()
        changes.enable("x")
        say("committed")
        hear()
    """)
    assert writer.stdout.readline() == "ready\n"
    assert not ask(reader)
    writer.stdin.write("go\n")
    writer.stdin.flush()
    assert writer.stdout.readline() == "committed\n"
    committed = time.monotonic()
    while not ask(reader):
        assert time.monotonic() < committed + 30
    # 1.2 s is promised, plus a load and what this machine is otherwise busy with.
    assert time.monotonic() - committed < 3


def test_no_reader_ever_sees_half_a_change_or_one_that_was_rolled_back(
    shared_database: SharedDatabase,
) -> None:
    shared_database.run("""
        changes.create("left")
        changes.create("right", enabled=True, variants=[("on", 1, 0), ("off", 2, 1)])
        # So many flags that a load takes longer than the next commit is away.
        Flag.objects.bulk_create(Flag(key=f"other_{number}") for number in range(3000))
    """)
    switcher = shared_database.start(SWITCHER)
    readers = [shared_database.start(TORN) for _ in range(2)]
    for reader in readers:
        assert finish(reader) == "0 2"
    finish(switcher)
