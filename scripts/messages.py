"""Bring the catalogues up to date with the code, and compile them; `make messages` calls it.

Each catalogue keeps its translations, gets what is new untranslated, and loses what is gone.
Languages given as arguments get a catalogue if they have none.
"""

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation import templatize

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "flaggate"
CATALOGUES = sorted(PACKAGE.glob("locale/*/LC_MESSAGES/django.po"))

# Which arguments of which functions are messages, beginning with 1; "c" marks a context.
WITH_CONTEXT, PLURAL, PLURAL_WITH_CONTEXT = ((1, "c"), 2), (1, 2), ((1, "c"), 2, 3)
KEYWORDS: dict[str, Any] = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop", "Message")),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), PLURAL),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), WITH_CONTEXT),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), PLURAL_WITH_CONTEXT),
    "Operator": (2,),
}
NEW = b"""
msgid ""
msgstr ""
"Project-Id-Version: flaggate 0\\n"
"Report-Msgid-Bugs-To: \\n"
"Last-Translator: flaggate contributors\\n"
"Language-Team: \\n"
"""


def main() -> None:
    found = extracted()
    for path in sorted({*CATALOGUES, *map(place, sys.argv[1:])}):
        path.parent.mkdir(parents=True, exist_ok=True)
        catalogue = updated(path, found)
        path.write_bytes(written(catalogue))
        path.with_suffix(".mo").write_bytes(compiled(catalogue))
        missing = sum(not translated(message) for message in catalogue if message.id)
        print(f"{path.relative_to(ROOT)}: {len(catalogue)} messages, {missing} untranslated")


def place(language: str) -> Path:
    return PACKAGE / "locale" / language / "LC_MESSAGES" / "django.po"


def extracted() -> Catalog:
    """Find all messages of the package."""
    catalogue = Catalog()
    for path in sorted((*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.html"))):
        for message, context in _messages(path):
            place = str(path.relative_to(ROOT))
            catalogue.add(message, context=context, locations=[(place, 0)])
    return catalogue


def _messages(path: Path) -> Iterator[tuple[Any, str | None]]:
    source = path.read_text()
    if path.suffix == ".html":
        # Python's tokenizer, which reads it next, takes spaces at the begin of a line for a block.
        source = "\n".join(map(str.strip, templatize(source).splitlines()))
    calls: Any = extract_python(BytesIO(source.encode()), KEYWORDS, (), {})
    for _line, name, found, _comments in calls:
        texts = found if isinstance(found, tuple) else (found,)
        message, context = _arguments(texts, KEYWORDS[name] or (1,))
        if message:
            yield message, context


def _arguments(texts: tuple[Any, ...], places: tuple[Any, ...]) -> tuple[Any, str | None]:
    """Choose a call's message, or its singular and plural, and its context; None for no literal."""
    context = next((texts[place[0] - 1] for place in places if isinstance(place, tuple)), None)
    chosen = [texts[place - 1] for place in places if isinstance(place, int)]
    if not all(chosen):
        return None, None
    return (chosen[0] if len(chosen) == 1 else tuple(chosen)), context


def updated(path: Path, found: Catalog) -> Catalog:
    """Return a catalogue with what was found: translations stay, the new ones are empty."""
    source = BytesIO(path.read_bytes() if path.exists() else NEW)
    catalogue = read_po(source, locale=path.parts[-3])
    created = catalogue.creation_date
    catalogue.update(found, no_fuzzy_matching=True)
    catalogue.creation_date = created  # or else each run would change the file
    catalogue.obsolete.clear()
    return catalogue


def written(catalogue: Catalog) -> bytes:
    file = BytesIO()
    write_po(file, catalogue, sort_by_file=True, include_lineno=False)
    return file.getvalue()


def compiled(catalogue: Catalog) -> bytes:
    file = BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()


def translated(message: Message) -> bool:
    texts = message.string if isinstance(message.string, tuple) else (message.string,)
    return all(texts) and not message.fuzzy


if __name__ == "__main__":
    main()
