"""Every text is translated into every language that there is, and found to be translated at all."""

import re

import messages
import pytest
from babel.messages.pofile import read_po

PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[sdr]|%%|\{\w*\}")

catalogues = pytest.mark.parametrize("path", messages.CATALOGUES, ids=lambda path: path.parts[-3])


def read(path):
    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3])


def texts(message):
    """Return pairs of an English text and its translations."""
    if not isinstance(message.string, tuple):
        return [(message.id, message.string)]
    return [(message.id[1], each) for each in message.string]


def test_there_is_a_german_catalogue():
    assert "de" in [path.parts[-3] for path in messages.CATALOGUES]


@catalogues
def test_all_is_translated_and_nothing_fuzzy_or_obsolete(path):
    catalogue = read(path)
    assert [each.id for each in catalogue if each.id and not messages.translated(each)] == []
    assert not catalogue.obsolete


@catalogues
def test_the_catalogue_is_what_make_messages_writes(path):
    assert path.read_bytes() == messages.written(messages.updated(path, messages.extracted()))


@catalogues
def test_the_compiled_catalogue_is_that_of_the_translations(path):
    assert path.with_suffix(".mo").read_bytes() == messages.compiled(read(path))


@catalogues
def test_translations_have_the_placeholders_of_the_text(path):
    pairs = [pair for message in read(path) if message.id for pair in texts(message)]
    assert [
        (english, other)
        for english, other in pairs
        if sorted(PLACEHOLDER.findall(english)) != sorted(PLACEHOLDER.findall(other))
    ] == []
