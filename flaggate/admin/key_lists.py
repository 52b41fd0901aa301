"""Lists of targeting keys, as people paste and upload them."""

from __future__ import annotations

import base64
import csv
import io
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from flaggate.changes.members import problem
from flaggate.models import wording
from flaggate.models.messages import translated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.core.files.uploadedfile import UploadedFile

MOST_KEYS = 200_000
MOST_BYTES = 20_000_000
MOST_PROBLEMS = 10
DELIMITERS = ",;\t"
SEPARATOR = "\0"
# A column with one of these names holds the keys; otherwise it is the first.
COLUMNS = ("targeting_key", "targeting key", "key", "user_id", "user id", "id", "pk", "visitor")


@dataclass(frozen=True, slots=True)
class KeyList:
    """The keys, each once; how often one was repeated; and where in a file they stood."""

    keys: list[str]
    duplicates: int
    column: str = ""


def pasted(text: str) -> KeyList:
    """Read one key a line. Raises ValidationError."""
    return _checked(enumerate(text.splitlines(), start=1))


def uploaded(file: UploadedFile[bytes]) -> KeyList:
    """Read a text file of one key a line, or a CSV file. Raises ValidationError."""
    if (file.size or 0) > MOST_BYTES:
        raise ValidationError(_("The file is larger than 20 MB. Split it."))
    try:
        text = file.read().decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text)))
    except UnicodeDecodeError:
        raise ValidationError(_("The file is no UTF-8 text. Save it as CSV in UTF-8.")) from None
    except csv.Error as error:
        raise ValidationError(_("The file is no CSV: %s.") % error) from None
    place, column = _column(rows[0]) if rows else (0, "")
    lines = ((number, row[place]) for number, row in enumerate(rows, start=1) if len(row) > place)
    if column:
        next(lines)
    return _checked(lines, column)


def pack(keys: list[str]) -> str:
    """Write keys, which hold no NUL, as a text that a form can carry."""
    # Filtered: by a tenth shorter for random ids, of which 100,000 have to fit into Django's limit.
    packer = zlib.compressobj(9, strategy=zlib.Z_FILTERED)
    packed = packer.compress(SEPARATOR.join(keys).encode()) + packer.flush()
    return base64.b85encode(packed).decode()


def unpack(text: str) -> list[str]:
    """Read what ``pack`` wrote. Raises ValidationError."""
    reader = zlib.decompressobj()
    try:
        written = reader.decompress(base64.b85decode(text), MOST_BYTES * 2)
        whole = reader.eof
        keys = written.decode().split(SEPARATOR)
    except (ValueError, zlib.error):
        whole, keys = False, []
    if not whole:
        raise ValidationError(_("The list did not arrive whole. Begin again."))
    return keys


def _checked(lines: Iterable[tuple[int, str]], column: str = "") -> KeyList:
    given = [(number, key) for number, line in lines if (key := line.strip())]
    if not given:
        raise ValidationError(_("There are no targeting keys in it."))
    if len(given) > MOST_KEYS:
        words = {"count": wording.figure(len(given)), "most": wording.figure(MOST_KEYS)}
        raise ValidationError(
            _("These are %(count)s keys, and %(most)s is the most. Use `manage.py flags members`.")
            % words
        )
    if problems := list(_problems(given)):
        raise ValidationError(problems[:MOST_PROBLEMS])
    keys = list(dict.fromkeys(key for _number, key in given))
    return KeyList(keys, len(given) - len(keys), column)


def _problems(given: list[tuple[int, str]]) -> Iterator[str]:
    for number, key in given:
        if found := problem(key):
            yield _("Line %(number)d: %(problem)s") % {
                "number": number,
                "problem": translated(found),
            }


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return max(DELIMITERS, key=first.count)


def _column(first: list[str]) -> tuple[int, str]:
    names = [name.strip().lower() for name in first]
    for name in COLUMNS:
        if name in names:
            return names.index(name), first[names.index(name)].strip()
    return 0, ""
