"""Many processes write at once, and nothing is lost."""

import pytest

from tests.databases import SharedDatabase, finish

pytestmark = pytest.mark.database

WRITERS, WRITES = 6, 10

WRITER = """
    me = int(sys.argv[1])
    say("ready")
    hear()
    for number in range(10):
        changes.rollout("shared", (me * 10 + number) % 100 + 0.5, comment=f"{me}.{number}")
        changes.create(f"own_{me}_{number}", source="code")
"""


PLAIN_WRITER = """
    say("ready")
    hear()
    for number in range(10):
        Flag.objects.filter(key="shared").update(owner=sys.argv[1])
        flag = Flag.objects.get(key="shared")
        flag.description = str(number)
        Flag.objects.bulk_update([flag], ["description"])
"""


def write_at_once(database: SharedDatabase, script: str) -> None:
    """Run a script in several processes that begin together; none may fail."""
    database.run('changes.create("shared", enabled=True, percentage=0)')
    writers = [database.start(script, me) for me in range(WRITERS)]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        finish(writer)


@pytest.fixture
def written(shared_database: SharedDatabase) -> SharedDatabase:
    write_at_once(shared_database, WRITER)
    return shared_database


def test_no_write_fails_and_versions_and_revisions_have_no_gap(written: SharedDatabase) -> None:
    printed = written.run(
        """
        state = State.objects.get()
        shared = Revision.objects.filter(key="shared").order_by("version")
        say(state.version)
        say(Flag.objects.get(key="shared").version)
        say(*shared.values_list("version", flat=True))
        say(len(set(shared.values_list("comment", flat=True))))
        say(Flag.objects.filter(key__startswith="own_").count(), Revision.objects.count())
        """
    )
    versions = range(1, WRITERS * WRITES + 2)
    assert printed.splitlines() == [
        str(2 * WRITERS * WRITES + 1),
        str(versions[-1]),
        " ".join(map(str, versions)),
        str(len(versions)),
        f"{WRITERS * WRITES} {2 * WRITERS * WRITES + 1}",
    ]


def test_each_revision_begins_where_the_one_before_ended(written: SharedDatabase) -> None:
    printed = written.run(
        """
        revisions = list(Revision.objects.filter(key="shared").order_by("version"))
        say(all(a.after == b.before for a, b in zip(revisions, revisions[1:])), len(revisions))
        """
    )
    assert printed == f"True {WRITERS * WRITES + 1}"


def test_plain_updates_at_once_do_not_fail_either(shared_database: SharedDatabase) -> None:
    write_at_once(shared_database, PLAIN_WRITER)
    printed = shared_database.run("say(State.objects.get().version)")
    assert printed == str(2 * WRITERS * WRITES + 1)
