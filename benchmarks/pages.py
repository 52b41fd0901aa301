"""Admin's pages with 1,000 flags, 100,000 members and 25,000 users: what each costs the server.

On the database that DATABASE_URL names, in a test database of its own, or in SQLite in memory:

python benchmarks/pages.py
"""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FLAGS, MEMBERS, USERS, REVISIONS = 1_000, 100_000, 25_000, 60
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
        measure()
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


def measure() -> None:
    """Print the best of several rounds for each page, and each step of an import once."""
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    flag, segment = fill()
    client.get("/admin/login/")  # loads the snapshot
    for name, address in pages(flag, segment).items():
        best = min(timed(partial(client.get, address))[0] for _ in range(ROUNDS))
        print(f"{best:7.0f} ms  {name}{'  TOO SLOW' if best > MOST else ''}")
    for name, milliseconds in steps(client):
        print(f"{milliseconds:7.0f} ms  {name}")


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


def pages(flag: Any, segment: Any) -> dict[str, str]:
    """Name the pages."""
    base = "/admin/flaggate"
    history = f"{base}/revision/of/flag/{flag.key}"
    return {
        "front page": "/admin/",
        "list of flags": f"{base}/flag/",
        "page of a flag": f"{base}/flag/{flag.pk}/change/",
        "who gets this": f"{base}/flag/{flag.pk}/who/?targeting_key=42",
        "who gets this, a sample of users": f"{base}/flag/{flag.pk}/who/?sample=1",
        "activity": f"{base}/revision/",
        "history of a flag": f"{history}/",
        "revert, the preview": f"{history}/revert/3/",
        "list of segments": f"{base}/segment/",
        "page of a segment": f"{base}/segment/{segment.pk}/change/",
        "members": f"{base}/segment/{segment.pk}/members/",
        "members, the last page": f"{base}/segment/{segment.pk}/members/?p={MEMBERS // 100}",
        "members, searched": f"{base}/segment/{segment.pk}/members/?q=abc",
    }


def steps(client: Any) -> list[tuple[str, float]]:
    """Import 100,000 members by a file, and count the users of a segment."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    from flaggate.models import Segment, SegmentMember

    segment = Segment.objects.get(key="empty")
    where = f"/admin/flaggate/segment/{segment.pk}/members/import/"
    keys = "\n".join(str(uuid.uuid4()) for _ in range(MEMBERS))
    file = SimpleUploadedFile("keys.csv", keys.encode())
    asked = {"act": "add", "which": "included"}
    preview, page = timed(lambda: client.post(where, {**asked, "pasted": "", "file": file}))
    agreed = page.context_data["form"].initial
    written, _page = timed(lambda: client.post(where, agreed))
    assert SegmentMember.objects.filter(segment=segment).count() == MEMBERS
    counted, _page = timed(lambda: client.get(where.replace("members/import", "matching")))
    return [
        (f"import of {MEMBERS:,} random ids, the preview", preview),
        (f"import of {MEMBERS:,} random ids, the change", written),
        (f"count of {USERS:,} matching users", counted),
    ]


def timed(act: Callable[[], Any]) -> tuple[float, Any]:
    """Return how many milliseconds something took, and what it gave."""
    started = perf_counter()
    found = act()
    assert found.status_code in (200, 302), found
    return (perf_counter() - started) * 1000, found


if __name__ == "__main__":
    main()
