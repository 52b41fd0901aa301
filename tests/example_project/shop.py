"""The shop as a process of its own, and a browser without a screen to visit it."""

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPMessage
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

ROOT = Path(__file__).resolve().parents[2]
MANAGE = ROOT / "example_project" / "manage.py"

DELIVERY = {
    "name": "Ada Adler",
    "email": "ada@marginalia.example",
    "street": "Rule Street 5",
    "postcode": "10115",
    "city": "Berlin",
}


def environment(database: Path, **extra: str) -> dict[str, str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DATABASE_URL", "DJANGO_SETTINGS_MODULE"}
    }
    shop = {"SHOP_DATABASE_FILE": str(database), "PYTHONPATH": str(ROOT)}
    return {**inherited, **shop, **extra}


def manage(database: Path, *arguments: str, script: Path = MANAGE, **extra: str) -> str:
    """Run a command of the shop to its end and return what it printed."""
    done = subprocess.run(
        [sys.executable, str(script), *arguments],
        env=environment(database, **extra),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def demo(database: Path, port: int) -> Iterator[str]:
    """Run `manage.py demo` and give what it says until the shop is open."""
    process = subprocess.Popen(
        [sys.executable, str(MANAGE), "demo", "--port", str(port)],
        env=environment(database),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    patience = threading.Timer(90, process.kill)
    patience.start()
    try:
        yield welcome(process)
    finally:
        patience.cancel()
        process.terminate()  # not SIGINT, which background jobs ignore
        process.wait(30)
        assert process.stdout
        process.stdout.close()


SERVERS = {
    "runserver": ["{script}", "runserver", "--noreload", "{address}"],
    "gunicorn": ["-m", "gunicorn", "--bind={address}", "--no-control-socket", "shop_site.wsgi"],
    # Without a limit it would wait for open streams for ever.
    "uvicorn": [
        *("-m", "uvicorn", "--port={port}", "--timeout-graceful-shutdown=1"),
        "shop_site.asgi:application",
    ],
}


@contextmanager
def served(
    database: Path, by: str = "runserver", *, script: Path = MANAGE, **extra: str
) -> Iterator[str]:
    """Serve the shop from a process of its own, and give its address."""
    with serving(database, by, script, **extra) as (port, _process):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def serving(
    database: Path, by: str, script: Path = MANAGE, **extra: str
) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Serve the shop, and give the port and the process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host, port = free.getsockname()
    options = {"script": script, "address": f"{host}:{port}", "port": port}
    arguments = [each.format(**options) for each in SERVERS[by]]
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=MANAGE.parent,
        env=environment(database, **extra),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        eventually(lambda: answers(host, port), seconds=60)
        yield port, process
    finally:
        process.terminate()
        process.wait()


def answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def welcome(process: subprocess.Popen[str]) -> str:
    said = ""
    for line in process.stdout or []:
        said += line
        if "Stop with" in line:
            return said
    raise AssertionError(f"The shop did not open: {said}")


def address(said: str) -> str:
    found = re.search(r"Shop +(http://\S+)/", said)
    assert found, said
    return found[1]


def eventually(question: Callable[[], bool], seconds: float = 10) -> None:
    """Ask until the answer is yes; fail when it stays no."""
    deadline = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < deadline, f"still not, after {seconds} seconds"


@dataclass
class Page:
    status: int
    url: str
    headers: HTTPMessage
    text: str

    @property
    def bar(self) -> str:
        """The words of the demo bar's first sentence, without its markup."""
        found = re.search(r"<summary>(.*?)</summary>", self.text, re.DOTALL)
        assert found, self.text
        return " ".join(re.sub(r"<[^>]+>", "", found[1]).split())

    @property
    def without_bar(self) -> str:
        return re.sub(r'<aside class="demo".*?</aside>', "", self.text, flags=re.DOTALL)


class Browser:
    """Keeps cookies and follows redirects."""

    def __init__(self, shop: str) -> None:
        self.shop = shop
        self.jar = CookieJar()
        self.opener = build_opener(HTTPCookieProcessor(self.jar))

    def get(self, path: str = "/", **headers: str) -> Page:
        return self._open(Request(self.shop + path, headers=headers))

    def post(self, path: str, **fields: str) -> Page:
        if self.cookie("csrftoken") is None:
            self.get()
        form = {"csrfmiddlewaretoken": self.cookie("csrftoken") or "", **fields}
        return self._open(Request(self.shop + path, urlencode(form).encode()))

    def cookie(self, name: str) -> str | None:
        return next((cookie.value for cookie in self.jar if cookie.name == name), None)

    @property
    def visitor(self) -> str | None:
        return self.cookie("flaggate_visitor")

    def log_in_as(self, username: str) -> Page:
        return self.post("/demo/log-in/", username=username, next="/")

    def buy(self, slug: str = "midnight-ink") -> Page:
        """Put a product into the basket and go to the checkout."""
        self.post(f"/basket/add/{slug}/")
        return self.get("/checkout/")

    def _open(self, request: Request) -> Page:
        try:
            answer = self.opener.open(request, timeout=30)
        except HTTPError as error:
            answer = error
        with answer:
            return Page(answer.status, answer.url, answer.headers, answer.read().decode())
