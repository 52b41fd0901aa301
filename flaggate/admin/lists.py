"""Lists of rows that answer what no database can look up as Django answers other bad filters."""

from __future__ import annotations

from itertools import chain
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList

LONGEST_NUMBER = 19  # digits


def numeric(text: str) -> bool:
    """Whether a text is a number that fits into any column."""
    return text.isascii() and text.isdecimal() and len(text) < LONGEST_NUMBER


class SoundList(ChangeList):
    """A list that hands no NUL on to the database: PostgreSQL has no text with one, and raises."""

    def get_filters_params(self, params: Any = None) -> Any:
        found = super().get_filters_params(params)
        if any("\0" in value for value in chain.from_iterable(found.values())):
            raise IncorrectLookupParameters
        return found
