"""Admin's pages, as a browser without JavaScript sees and sends them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

from django.db import models
from django.forms import BoundField
from django.test import Client
from django.urls import reverse

SAVE = {"_save": "Save"}
FORMS = ("flag_form", "segment_form", "flaggate-form")  # the ids of the forms that are read


@dataclass
class Page:
    """One answer: its status, its text, and what its form would send."""

    pages: Pages
    address: str
    response: Any
    fields: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.response.render() if hasattr(self.response, "render") else None
        self.text = self.response.content.decode()
        if any(f'id="{name}"' in self.text for name in FORMS):
            self.fields = read_form(self.text)
        if " flaggate-confirm" in self.text:
            self.fields = read_form(self.text)
            self.address = self.response.request["PATH_INFO"]

    @property
    def status(self) -> int:
        """The HTTP status."""
        return int(self.response.status_code)

    def bound(self, name: str) -> BoundField:
        """A field of the main form."""
        found: BoundField = self.response.context["adminform"].form[name]
        return found

    @property
    def errors(self) -> dict[str, str]:
        """What stands at which field; "" is the page as a whole, a part's name that part."""
        found: dict[str, str] = {}
        form = self.response.context["adminform"].form
        collect(found, form, "")
        for each in self.response.context["inline_admin_formsets"]:
            formset = each.formset
            note(found, formset.prefix, formset.non_form_errors())
            for row in formset.forms:
                collect(found, row, f"{row.prefix}-")
        return found

    def errors_or_none(self) -> dict[str, str] | None:
        """The errors, or None where the page led on to another."""
        return self.errors if "adminform" in self.response.context else None

    @property
    def messages(self) -> list[str]:
        """What admin says above the page, without its buttons."""
        said = map(str, self.response.context["messages"])
        return [message.partition(" <form")[0] for message in said]

    @property
    def words(self) -> str:
        """The words of the main part, without markup."""
        reader = WordReader()
        main = self.text[self.text.index('id="content-main"') :]
        reader.feed(main[main.index(">") + 1 : main.index("</main>")])
        return " ".join(reader.words.split())

    def confirm(self, **typed: Any) -> Page:
        """Say yes to what the page asks."""
        return self.pages.post(self.address, {**self.fields, **typed})

    def undo(self, **typed: Any) -> Page:
        """Press the button of the message."""
        begin = self.text.index('<form class="flaggate-undo"')
        reader = FormReader()
        reader.feed(self.text[begin : self.text.index("</form>", begin)])
        return self.pages.post(address_of("undo"), {**reader.fields, **typed})

    def save(self, **typed: Any) -> Page:
        """Type into fields (``rules_0_percentage`` is ``rules-0-percentage``), and save."""
        data = {**self.fields, **{name_of(name): value for name, value in typed.items()}, **SAVE}
        sent = {name: value for name, value in data.items() if value is not None}
        return self.pages.post(self.address, sent)


class Pages:
    """A browser."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def get(self, address: str) -> Page:
        """Open an address."""
        return Page(self, address, self.client.get(address))

    def go(self, address: str) -> Page:
        """Open an address, and follow where it leads."""
        return Page(self, address, self.client.get(address, follow=True))

    def post(self, address: str, data: Any = None) -> Page:
        """Send a form, and follow where it leads."""
        return Page(self, address, self.client.post(address, data or {}, follow=True))

    def list(self, model: type[models.Model], query: str = "") -> Page:
        """Open the list of a model."""
        return self.get(address(model, "changelist") + query)

    def add(self, model: type[models.Model]) -> Page:
        """Open the page that adds one."""
        return self.get(address(model, "add"))

    def open(self, row: models.Model) -> Page:
        """Open the page of one."""
        return self.get(address(type(row), "change", row.pk))

    def act(self, action: str, *rows: models.Model) -> Page:
        """Choose rows in the list, and run an action on them."""
        data = {
            "action": action,
            "_selected_action": [row.pk for row in rows],
            "index": 0,
        }
        return self.post(address(type(rows[0]), "changelist"), data)

    def ask(self, verb: str, *flags: models.Model, **query: Any) -> Page:
        """Open the page that asks before something is done to flags."""
        chosen = ",".join(str(flag.pk) for flag in flags)
        return self.go(f"{address_of(verb)}?{urlencode({'flag': chosen, **query})}")

    def do(self, verb: str, *flags: models.Model, value: str = "", **typed: Any) -> Page:
        """Do something to flags, and confirm it."""
        return self.ask(verb, *flags, **({"value": value} if value else {})).confirm(**typed)

    def delete(self, row: models.Model) -> Page:
        """Delete one, and confirm it."""
        return self.post(address(type(row), "delete", row.pk), {"post": "yes"})


def address(model: type[models.Model], page: str, *args: Any) -> str:
    """Return the address of a page of admin."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def address_of(verb: str) -> str:
    """Return the address where something is done to flags."""
    return reverse("admin:flaggate_flag_verb", args=[verb])


def name_of(argument: str) -> str:
    """Turn the name of a Python argument into that of a field in a row."""
    part, _, rest = argument.partition("_")
    position, _, name = rest.partition("_")
    return f"{part}-{position}-{name}" if position.isdecimal() else argument


def collect(found: dict[str, str], form: Any, prefix: str) -> None:
    for name, errors in form.errors.items():
        note(found, prefix + ("" if name == "__all__" else name), errors)


def note(found: dict[str, str], place: str, errors: Any) -> None:
    if errors:
        found[place] = " ".join(str(error) for error in errors)


class FormReader(HTMLParser):
    """Reads what a browser would send, buttons left aside."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, list[str]] = {}
        self.textarea = ""
        self.select = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        attributes = dict(attrs)
        name = attributes.get("name") or ""
        if tag == "textarea":
            self.textarea = name
            self.fields[name] = [""]
        elif tag == "select":
            self.select = name
            self.fields.setdefault(name, [])
        elif tag == "option" and self.select and "selected" in attributes:
            self.fields[self.select].append(attributes.get("value") or "")
        elif tag == "input":
            self.input(name, attributes)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.fields[self.textarea] = [self.fields[self.textarea][0].removeprefix("\n")]
            self.textarea = ""
        elif tag == "select":
            self.select = ""

    def handle_data(self, data: str) -> None:
        if self.textarea:
            self.fields[self.textarea] = [self.fields[self.textarea][0] + data]

    def input(self, name: str, attributes: dict[str, Any]) -> None:
        """Read an input: a checkbox counts when it is checked."""
        kind = attributes.get("type", "text")
        if not name or kind in ("submit", "button", "search"):
            return
        if kind != "checkbox":
            self.fields.setdefault(name, []).append(attributes.get("value") or "")
        elif "checked" in attributes:
            self.fields.setdefault(name, []).append(attributes.get("value") or "on")


class WordReader(HTMLParser):
    """Reads what is written on a page."""

    def __init__(self) -> None:
        super().__init__()
        self.words = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.words += " "

    def handle_data(self, data: str) -> None:
        self.words += data


def read_form(text: str) -> dict[str, list[str]]:
    """Read the fields of the page's main form; none where there is no form."""
    reader = FormReader()
    begin = text.find("<form", text.index('id="content-main"'))
    if begin >= 0:
        reader.feed(text[begin : text.index("</form>", begin)])
    return reader.fields
