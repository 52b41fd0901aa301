"""Texts that somebody hostile, or merely unlucky, writes into a field."""

from __future__ import annotations

from html.parser import HTMLParser

# Whatever gets out of its text becomes a tag or an attribute of this name.
MARK = "flaggate-probe"
RAN = "template-ran"  # what the template among the payloads would print

PAYLOADS = {
    "element": f"<{MARK}>&lt;{MARK}&gt;",
    "attribute": f"\" {MARK}=1 ' {MARK}=1 ><b {MARK}=1>",
    "end of a script": f"</script></textarea></title><{MARK}>",
    "script": f"<script {MARK}>alert(1)</script>",
    "address": f'javascript:alert(1)//" onfocus=alert(1) {MARK}',
    "template": '{{ "template"|add:"-ran" }}{% debug %}{# #}${7*7}',
    "format": "%s %(key)s {0.__class__} {key} %",
    "formula": '=HYPERLINK("http://flaggate.invalid/","x")',
    "JSON": '"}],\u2028\u2029\\u003c\\" \\',
    "lines": "a\r\nSet-Cookie: b=c\r\n\r\nd\te\x0b\x1f",
    "right to left": "\u202e\u2066txt.exe\u200f",
    "emoji": "👩🏽‍🚀🏳️‍🌈e\u0301\ufe0f",
    "long": "x" * 20_000,
    "NUL": "a\0b",
    "blank": " \u00a0\u3000",
}


class Probe(HTMLParser):
    """Finds what got out of its text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == MARK or any(name == MARK for name, _ in attrs):
            self.found.append(self.get_starttag_text() or tag)


def escapes(page: str) -> list[str]:
    """Return what is not: tags and attributes that a payload made, or what a template printed."""
    probe = Probe()
    probe.feed(page)
    return probe.found + [RAN] * (RAN in page)
