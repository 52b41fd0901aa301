"""A language that puts each translated text into brackets: what is not translated shows."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.utils import translation

BRACKETED = re.compile(r"⟦[^⟦⟧]*⟧")
WORD = re.compile(r"[^\W\d_]{2,}")
SPOKEN = ("title", "alt", "placeholder", "aria-label", "label", "summary")
SILENT = ("script", "style", "pre")  # a <pre> shows JSON


def speak(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put every text that passes through gettext into brackets."""

    def plural(one: str, many: str, number: Any) -> str:
        return bracketed(one if number == 1 else many)

    spoken = {
        "gettext": bracketed,
        "ngettext": plural,
        "pgettext": lambda context, text: bracketed(text),
        "npgettext": lambda context, *texts: plural(*texts),
    }
    for name, function in spoken.items():
        monkeypatch.setattr(translation._trans, name, function, raising=False)


def bracketed(text: str) -> str:
    return f"⟦{text}⟧" if text else text


def untranslated(page: str) -> set[str]:
    """Find the words of a page that stand outside of all brackets."""
    reader = Reader()
    reader.feed(page)
    text = "\n".join(reader.texts)
    while text != (text := BRACKETED.sub(" ", text)):
        pass
    return set(WORD.findall(text))


class Reader(HTMLParser):
    """Reads what is shown, and what is read aloud."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        attributes = dict(attrs)
        self.silent += tag in SILENT
        self.texts += [attributes.get(name) or "" for name in SPOKEN]
        if (attributes.get("id") or "").startswith("flaggate-"):  # what scripts say
            self.texts += [value or "" for name, value in attrs if name.startswith("data-")]
        if attributes.get("type") in ("submit", "button"):
            self.texts.append(attributes.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in SILENT

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.texts.append(data)
