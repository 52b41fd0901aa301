"""Admin's pages with 1,000 flags, 100,000 members and 25,000 users: what each costs the server.

On the database that DATABASE_URL names, in a test database of its own, or in SQLite in memory:

python benchmarks/pages.py [a word in the names of the pages]
"""

from __future__ import annotations

import os
import random
import sys
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FLAGS, MEMBERS, USERS, REVISIONS, CHOSEN = 1_000, 100_000, 25_000, 60, 150
ROUNDS = 5
MOST = 300  # milliseconds that a page may take


def main() -> None:
    """Fill a database, and open each page."""
    sys.path.insert(0, str(ROOT))
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()
    from django.db import connection

    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        print(f"{connection.vendor}: {FLAGS:,} flags, {MEMBERS:,} members, {USERS:,} users")
        measure("".join(sys.argv[1:]))
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


def measure(word: str) -> None:
    """Print the best of several rounds for each page, and what is asked for by hand once.

    First how long it took, then how long the processor worked for it.
    """
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client

    from tests.admin.pages import Pages

    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    flag, segment = fill()
    client.get("/admin/login/")  # loads the snapshot
    in_process = connection.vendor == "sqlite"  # then others only slow it down
    every = [*opened(client, flag, segment), *sent(Pages(client), flag, segment)]
    for name, prepare in every:
        if word in name:
            rounds = [timed(prepare()) for _ in range(ROUNDS)]
            best, work = (min(each[place] for each in rounds) for place in (0, 1))
            slow = "  TOO SLOW" if min(best, work if in_process else best) > MOST else ""
            print(f"{best:7.0f} ms {work:7.0f} ms  {name}{slow}", flush=True)
    for name, best, work in [] if word else by_hand(client):
        print(f"{best:7.0f} ms {work:7.0f} ms  {name}")


def fill() -> tuple[Any, Any]:
    """Make the flags, members and users; return a flag with a history, and its segment."""
    from django.contrib.auth.models import User

    from flaggate import changes
    from flaggate.models import Flag, Segment

    User.objects.bulk_create(User(username=f"user_{number}") for number in range(USERS))
    with changes.change():
        segment = Segment.objects.create(key="many")
        Segment.objects.create(key="empty")
        for number in range(FLAGS):
            Flag.objects.create(key=f"flag_{number:04}", enabled=True, percentage=number % 100)
        flag = Flag.objects.get(key="flag_0000")
        flag.rules.create().segments.add(segment)
    changes.members.add("many", (str(uuid.UUID(int=number)) for number in range(MEMBERS)))
    for number in range(REVISIONS):
        changes.rollout("flag_0000", number)
    return flag, segment


def opened(client: Any, flag: Any, segment: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Name the pages that are opened by an address."""
    from flaggate.models import Flag, Revision

    base = "/admin/flaggate"
    do = f"{base}/flag/do/"
    who, members = f"{base}/flag/{flag.pk}/who/", f"{base}/segment/{segment.pk}/members/"
    history, of_segment = (
        f"{base}/revision/of/{each}/" for each in ("flag/flag_0000", "segment/many")
    )
    first, last = (Revision.objects.filter(key="flag_0000").order_by(by)[0] for by in ("pk", "-pk"))
    chosen = ",".join(str(pk) for pk in Flag.objects.values_list("pk", flat=True)[:CHOSEN])
    for name, address in {
        "front page": "/admin/",
        "list of flags": f"{base}/flag/",
        "list of flags, searched": f"{base}/flag/?q=flag_09",
        "a new flag": f"{base}/flag/add/",
        "page of a flag": f"{base}/flag/{flag.pk}/change/",
        "deletion of a flag": f"{base}/flag/{flag.pk}/delete/",
        "turn off, the page that asks": f"{do}turn-off/?flag={flag.pk}",
        f"turn off {CHOSEN} flags, the page that asks": f"{do}turn-off/?flag={chosen}",
        f"share of {CHOSEN} flags, the page that asks": f"{do}share/?value=50&flag={chosen}",
        "who gets this, a targeting key": f"{who}?targeting_key=42",
        "who gets this, a user": f"{who}?user=user_42",
        "who gets this, a context": f"{who}?context=%7B%22targeting_key%22%3A%20%2242%22%7D",
        "who gets this, a sample of users": f"{who}?sample=1",
        "activity": f"{base}/revision/",
        "activity, searched": f"{base}/revision/?q=flag_09",
        "activity as CSV": f"{base}/revision/export/csv/",
        "activity as JSON": f"{base}/revision/export/json/",
        "history of a flag": history,
        "two states of a flag": f"{history}compare/?from={first.pk}&to={last.pk}",
        "a revision": f"{base}/revision/{last.pk}/change/",
        "revert, the preview": f"{history}revert/3/",
        "history of a segment": of_segment,
        "list of segments": f"{base}/segment/",
        "a new segment": f"{base}/segment/add/",
        "page of a segment": f"{base}/segment/{segment.pk}/change/",
        "deletion of a segment": f"{base}/segment/{segment.pk}/delete/",
        "members": members,
        "members, the last page": f"{members}?p={MEMBERS // 100}",
        "members, searched": f"{members}?q=abc",
        "import, the form": f"{members}import/",
        "count of matching users, a slice": members.replace("members", "matching"),
        "usage": f"{base}/usage/",
        "API keys": f"{base}/apikey/",
    }.items():
        yield name, partial(partial, client.get, address)


def sent(browser: Any, flag: Any, segment: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Name the forms that are sent; each is opened before the clock starts."""
    from flaggate import changes
    from flaggate.models import Flag

    members = f"/admin/flaggate/segment/{segment.pk}/members/"
    chosen = list(Flag.objects.order_by("key")[1 : CHOSEN + 1])

    def send(page: Any, **typed: Any) -> Callable[[], Any]:
        return partial(browser.client.post, page.address, {**page.fields, **typed})

    def turn(*flags: Any) -> Callable[[], Any]:
        on = Flag.objects.get(pk=flags[0].pk).enabled
        return send(browser.ask("turn-off" if on else "turn-on", *flags))

    def undo(*flags: Any) -> Callable[[], Any]:
        changes.together.rollout([flag.key for flag in flags], random.randrange(100))
        rows = Flag.objects.filter(pk__in=[flag.pk for flag in flags])
        seen = ",".join(f"{flag.pk}:{flag.version}" for flag in rows)
        return partial(browser.client.post, "/admin/flaggate/flag/do/undo/", {"seen": seen})

    def form(**typed: Any) -> Callable[[], Any]:
        return send(browser.open(flag), **typed)

    asked = {"_ask": "", "percentage": "70", "people": "42"}
    yield "review of a flag", lambda: form(_review="1", percentage="70")
    yield "who would get this", lambda: form(**asked)
    yield "who would get this, a user", lambda: form(**asked, **{"asked-user": "user_42"})
    yield "a flag is saved", lambda: form(_save="1", description=str(uuid.uuid4()))
    yield "a flag is turned off or on", lambda: turn(chosen[0])
    yield f"{CHOSEN} flags are turned off or on", lambda: turn(*chosen)
    yield f"the change of {CHOSEN} flags is undone", lambda: undo(*chosen)
    yield "review of a segment", lambda: send(browser.open(segment), _review="1", name="Many")
    yield (
        "a segment is saved",
        lambda: send(browser.open(segment), _save="1", name=str(uuid.uuid4())),
    )
    pasted = {"act": "add", "which": "included", "pasted": "\n".join(map(str, range(1_000)))}
    yield (
        "import of 1,000 ids, the preview",
        lambda: send(browser.get(f"{members}import/"), **pasted),
    )


def by_hand(client: Any) -> list[tuple[Any, ...]]:
    """Import 100,000 members by a file."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    from flaggate.models import Segment, SegmentMember

    segment = Segment.objects.get(key="empty")
    where = f"/admin/flaggate/segment/{segment.pk}/members/import/"
    keys = "\n".join(str(uuid.uuid4()) for _ in range(MEMBERS))
    file = SimpleUploadedFile("keys.csv", keys.encode())
    asked = {"act": "add", "which": "included"}
    *preview, page = timed(lambda: client.post(where, {**asked, "pasted": "", "file": file}))
    agreed = page.context_data["form"].initial
    *written, _page = timed(lambda: client.post(where, agreed))
    assert SegmentMember.objects.filter(segment=segment).count() == MEMBERS
    return [
        (f"import of {MEMBERS:,} random ids, the preview", *preview),
        (f"import of {MEMBERS:,} random ids, the change", *written),
    ]


def timed(act: Callable[[], Any]) -> tuple[float, float, Any]:
    """Return how many milliseconds something took, also of the processor, and what it gave."""
    started, worked = perf_counter(), process_time()
    found = act()
    if found.streaming:
        b"".join(found)
    assert found.status_code in (200, 302), found
    return (perf_counter() - started) * 1000, (process_time() - worked) * 1000, found


if __name__ == "__main__":
    main()
