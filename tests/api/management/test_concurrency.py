"""Many clients change one flag on condition, and no change is lost."""

import json
from typing import Any

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


# All send the same request under the same name.
REPEATER = """
    from tests.api.management.callers import holding
    client = holding(sys.argv[1])
    say("ready")
    hear()
    body = {"description": "Once"}
    answer = client.ask("patch", "flags/shared/", body, Idempotency_Key="once")
    say(answer.status_code, answer.content.decode())
"""


def at_once(clients: list[Any]) -> list[str]:
    """Let clients begin together, and return what each printed."""
    for client in clients:
        assert client.stdout.readline() == "ready\n", finish(client)
    for client in clients:
        client.stdin.write("go\n")
        client.stdin.flush()
    return [finish(client) for client in clients]


@pytest.fixture
def passed(shared_database: SharedDatabase) -> list[str]:
    """The writes that passed, of all clients."""
    secret = shared_database.run(PREPARE)
    clients = [shared_database.start(CLIENT, me, secret) for me in range(CLIENTS)]
    return [tag for printed in at_once(clients) for tag in json.loads(printed)]


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
    print(f"{len(passed)} of {CLIENTS * WRITES} writes passed")
    found = json.loads(printed)
    versions = list(range(1, len(passed) + 2))  # the first is the flag's creation
    assert sorted(found["tags"]) == sorted(passed)
    assert found["version"] == versions[-1]
    assert found["versions"] == versions
    assert found["lost"] == []
    # A write that passes lets fail at most one write of each other client.
    assert len(passed) >= WRITES


def test_the_same_request_at_the_same_time_is_done_once(shared_database: SharedDatabase) -> None:
    secret = shared_database.run(PREPARE)
    printed = at_once([shared_database.start(REPEATER, secret) for _ in range(CLIENTS)])
    assert printed[0].startswith("200 ")
    assert len(set(printed)) == 1
    counted = 'say(Revision.objects.filter(key="shared").count())'
    assert shared_database.run(counted) == "2"
