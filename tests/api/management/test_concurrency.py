"""Many clients change one flag on condition, and no change is lost."""

import json

import pytest

from tests.databases import SharedDatabase, finish

pytestmark = pytest.mark.database

CLIENTS, WRITES = 8, 50

PREPARE = """
    from flaggate.api import keys
    changes.create("shared")
    say(keys.create("clients", ["manage:write"]).secret)
"""

# Each adds a tag of its own to those that it has read, and says which of its writes passed.
CLIENT = """
    import json
    from tests.api.management.callers import holding
    me, secret = sys.argv[1:]
    client = holding(secret)
    say("ready")
    hear()
    passed = []
    for number in range(50):
        read = client.ask("get", "flags/shared/")
        tags = [*read.json()["tags"], f"{me}.{number}"]
        answer = client.ask("patch", "flags/shared/", {"tags": tags}, If_Match=read["ETag"])
        if answer.status_code == 200:
            assert answer.json()["tags"] == tags
            passed.append(tags[-1])
        else:
            assert answer.status_code == 412, answer.content
    say(json.dumps(passed))
"""


@pytest.fixture
def passed(shared_database: SharedDatabase) -> list[str]:
    """The writes that passed, of all clients."""
    secret = shared_database.run(PREPARE)
    clients = [shared_database.start(CLIENT, me, secret) for me in range(CLIENTS)]
    for client in clients:
        assert client.stdout.readline() == "ready\n"
    for client in clients:
        client.stdin.write("go\n")
        client.stdin.flush()
    return [tag for client in clients for tag in json.loads(finish(client))]


def test_what_passed_is_there_and_each_is_one_version_and_one_revision(
    shared_database: SharedDatabase, passed: list[str]
) -> None:
    printed = shared_database.run(
        """
        import json
        shared = Revision.objects.filter(key="shared").order_by("version")
        steps = list(shared)
        say(json.dumps({
            "tags": Flag.objects.get().tags,
            "version": Flag.objects.get().version,
            "versions": [each.version for each in steps],
            "lost": [b.version for a, b in zip(steps, steps[1:]) if a.after != b.before],
        }))
        """
    )
    found = json.loads(printed)
    versions = list(range(1, len(passed) + 2))  # the first is the flag's creation
    assert sorted(found["tags"]) == sorted(passed)
    assert found["version"] == versions[-1]
    assert found["versions"] == versions
    assert found["lost"] == []
    assert len(passed) >= WRITES  # whoever was alone at the end can't have failed all the time
