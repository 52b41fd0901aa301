"""Run the whole suite on what this machine has; `make test` calls it.

First everything on SQLite, then the tests marked `database` again on PostgreSQL and on MariaDB,
then tests/browser in Chromium, tests/clients with Python and with Node, and ten seconds of
`make soak`. What is missing is skipped, and said at the end. Environment variables:

FLAGGATE_TEST_POSTGRESQL_URL  where PostgreSQL is, if not on this machine's usual port
FLAGGATE_TEST_MARIADB_URL     where MariaDB is, if not on this machine's usual port
FLAGGATE_TEST_CHROMIUM        the path of a Chromium or Chrome that is not on PATH
FLAGGATE_TEST_ALL=1           whatever is skipped is a failure, and so is too little coverage (CI)
FLAGGATE_TEST_ONLY=sqlite,…   run nothing but these parts: PARTS names them, in their order
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from soaking.cluster import find_binaries

ROOT = Path(__file__).resolve().parent.parent
POSTGRESQL_URL = "postgres://postgres@127.0.0.1:5432/postgres"
MARIADB_URL = "mysql://root@127.0.0.1:3306/mysql"
SCREENS = "tests/browser/test_screens.py"
CHROMIUM_NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
ON_ALL_CORES = "--numprocesses=auto"  # but for the clients, of which some measure time
NO_TESTS = 5  # pytest's exit code

ONLY = set(filter(None, os.environ.get("FLAGGATE_TEST_ONLY", "").split(",")))
RUNS_ALL = os.environ.get("FLAGGATE_TEST_ALL") == "1"

PYTEST = ["-m", "pytest", "--quiet"]
ALWAYS_COVERED = ["-m", "coverage", "run", *PYTEST]
COVERED = ALWAYS_COVERED if RUNS_ALL else PYTEST  # it costs a third more time

skipped: list[str] = []


def main() -> None:
    os.chdir(ROOT)
    print(versions(), flush=True)
    run("migrations are complete", "-m", "django", "makemigrations", "--check", "--dry-run")
    if ONLY:
        test_only(ONLY)
        return
    if RUNS_ALL:
        run("forget old coverage", "-m", "coverage", "erase")
    run("tests on SQLite", *COVERED, ON_ALL_CORES)
    test_postgresql(COVERED)
    test_mariadb(COVERED)
    test_browser(COVERED, "tests/browser")
    test_clients(COVERED)
    soak()
    if RUNS_ALL:
        check_coverage()
    tell_skipped()


def test_only(parts: set[str]) -> None:
    if unknown := parts - PARTS.keys():
        sys.exit(f"FLAGGATE_TEST_ONLY: no part is named {', '.join(sorted(unknown))}")
    for name, test in PARTS.items():
        if name in parts:
            test()
    print(f"\nOnly {', '.join(sorted(parts))}: FLAGGATE_TEST_ONLY asks for no more.")
    tell_skipped()


def test_postgresql(pytest: list[str]) -> None:
    test_server("PostgreSQL", POSTGRESQL_URL, postgresql_answers, pytest)


def test_mariadb(pytest: list[str]) -> None:
    test_server("MariaDB", MARIADB_URL, mariadb_answers, pytest)


def test_server(
    name: str, usual_url: str, answers: Callable[[str], bool], pytest: list[str]
) -> None:
    variable = f"FLAGGATE_TEST_{name.upper()}_URL"
    url = os.environ.get(variable, usual_url)
    if not answers(url):
        skip(f"tests on {name}", f"no server answers; start one, or set {variable}")
        return
    run(f"tests on {name}", *pytest, ON_ALL_CORES, "-m", "database", DATABASE_URL=url)


def test_browser(pytest: list[str], *tests: str) -> None:
    chromium = find_chromium()
    if not chromium:
        skip(
            tests[-1],
            "no Chromium found; apt-get install chromium, or set FLAGGATE_TEST_CHROMIUM",
        )
        return
    run(
        "tests in Chromium",
        *pytest,
        ON_ALL_CORES,
        *tests,
        FLAGGATE_TEST_CHROMIUM=chromium,
        DJANGO_ALLOW_ASYNC_UNSAFE="1",  # Playwright's event loop runs in the tests' own thread
    )


def test_clients(pytest: list[str]) -> None:
    clients = ("tests/clients/test_python.py", "tests/clients/test_many_streams.py")
    run("the published client for Python, and a thousand streams", *pytest, *clients)
    if not (shutil.which("node") and shutil.which("npm")):
        skip("tests/clients/test_node.py", "no Node found; apt-get install nodejs npm")
        return
    run("the published clients for Node", *pytest, "tests/clients/test_node.py")


def soak() -> None:
    if not find_binaries():
        skip("soak on PostgreSQL", "no initdb found; apt-get install postgresql")
    run("soak", "scripts/soak.py", "--seconds", "10")


def test_core() -> None:
    tests = (f"tests/{each}" for each in ("core", "context", "flags"))
    run("forget old coverage", "-m", "coverage", "erase")
    run("tests of the core, covered", *ALWAYS_COVERED, ON_ALL_CORES, *tests)
    run("gather coverage", "-m", "coverage", "combine", "--quiet")
    check_core()


def check_coverage() -> None:
    run("gather coverage", "-m", "coverage", "combine", "--quiet")
    run("coverage of everything", "-m", "coverage", "report")
    check_core()


def check_core() -> None:
    run(
        "coverage of the core",
        *("-m", "coverage", "report", "--include=flaggate/core/*", "--fail-under=100"),
    )


def run(name: str, *arguments: str, **environment: str) -> None:
    """Run this Python with `arguments`, print how long it took, and stop at the first failure."""
    print(f"\n== {name}", flush=True)
    started = time.monotonic()
    environ = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"} | environment
    if "DATABASE_URL" not in environment:
        environ.pop("DATABASE_URL", None)  # the developer's own: not for tests
    code = subprocess.run([sys.executable, *arguments], env=environ, check=False).returncode
    print(f"== {name}: {time.monotonic() - started:.1f} s", flush=True)
    if code == NO_TESTS and "pytest" in arguments:
        skip(name, "there is no such test")
    elif code:
        sys.exit(f"FAILED: {name}")


def skip(name: str, reason: str) -> None:
    skipped.append(f"SKIPPED: {name}: {reason}")


def tell_skipped() -> None:
    print()
    print("\n".join(skipped) or "Nothing was skipped.")
    if skipped and RUNS_ALL:
        sys.exit("FAILED: FLAGGATE_TEST_ALL=1 allows no skip")


def postgresql_answers(url: str) -> bool:
    import psycopg

    try:
        psycopg.connect(url, connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True


def mariadb_answers(url: str) -> bool:
    import pymysql

    at = urlsplit(url)
    try:
        pymysql.connect(
            host=at.hostname,
            port=at.port or 3306,
            user=at.username,
            password=at.password or "",
            connect_timeout=3,
        ).close()
    except pymysql.OperationalError:
        return False
    return True


def find_chromium() -> str | None:
    named = os.environ.get("FLAGGATE_TEST_CHROMIUM")
    return named or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


def versions() -> str:
    import django

    return f"Python {sys.version.split()[0]}, Django {django.get_version()}"


# The parts that can be asked for by themselves; only that of the core measures coverage.
PARTS: dict[str, Callable[[], None]] = {
    "sqlite": partial(run, "tests on SQLite", *PYTEST, ON_ALL_CORES),
    "postgresql": partial(test_postgresql, PYTEST),
    "mariadb": partial(test_mariadb, PYTEST),
    "journeys": partial(test_browser, PYTEST, f"--ignore={SCREENS}", "tests/browser"),
    "screens": partial(test_browser, PYTEST, SCREENS),
    "clients": partial(test_clients, PYTEST),
    "soak": soak,
    "core": test_core,
}

if __name__ == "__main__":
    main()
