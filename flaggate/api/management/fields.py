"""Fields that take a JSON value for what it is: "5" is no number, and 1 is not true."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils.dateparse import parse_date, parse_datetime
from rest_framework import serializers

from flaggate.core import validation

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_NAMED = 50  # problems of one list or object: whoever sends 800,000 is not told of each


class Text(serializers.CharField):
    """A text, taken as it is."""

    default_error_messages = {"invalid": "Give a text."}

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, **options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return data


class Choice(serializers.ChoiceField):
    """One of a few texts."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return str(super().to_internal_value(data))


class Boolean(serializers.BooleanField):
    """True or false."""

    default_error_messages = {"invalid": "Give true or false."}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class Integer(serializers.IntegerField):
    """A number that is written without a decimal point."""

    default_error_messages = {"invalid": "Give an integer, without quotes or decimal point."}

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return data


class Number(serializers.FloatField):
    """An integer or a float, and it stays what it is."""

    default_error_messages = {"invalid": "Give a number, without quotes."}

    def to_internal_value(self, data: Any) -> float | int:
        if type(data) not in (int, float) or not math.isfinite(data):
            self.fail("invalid")
        number: float | int = data
        return number

    def to_representation(self, value: Any) -> Any:
        return value


class Percentage(Number):
    """Percent, 0 to 100, with at most three decimals."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=100, **options)

    def run_validators(self, value: Any) -> None:
        super().run_validators(value)
        problems = validation.percentage_problems("", Decimal(str(value)))
        if messages := [problem.message for problem in problems]:
            raise serializers.ValidationError(messages)


class Moment(serializers.DateTimeField):
    """A moment as RFC 3339 writes it, with its offset from UTC."""

    default_error_messages = {
        "invalid": "Give a moment with its offset from UTC, as in 2027-01-31T12:00:00Z."
    }

    def to_internal_value(self, data: Any) -> str:  # type: ignore[override]
        moment: datetime | None = _parsed(parse_datetime, data)
        if moment is None or moment.tzinfo is None:
            self.fail("invalid")
        try:
            return moment.astimezone(UTC).isoformat()
        except OverflowError:  # year 1 or 9999, across the date line
            self.fail("invalid")

    def to_representation(self, value: Any) -> Any:
        return value.isoformat() if isinstance(value, datetime) else value


class Day(serializers.DateField):
    """A date."""

    default_error_messages = {"invalid": "Give a date, as in 2027-01-31."}

    def to_internal_value(self, data: Any) -> str:  # type: ignore[override]
        day: date | None = _parsed(parse_date, data)
        if day is None:
            self.fail("invalid")
        return day.isoformat()

    def to_representation(self, value: Any) -> Any:
        return value.isoformat() if isinstance(value, date) else value


class Value(serializers.JSONField):
    """Any JSON value but null."""


class Object(serializers.DictField):
    """A JSON object with whatever names."""


class Many(serializers.ListField):
    """A list; one that is too long is not looked into, and of its wrong entries the first count."""

    def to_internal_value(self, data: Any) -> list[Any]:
        if self.max_length is not None and isinstance(data, list) and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return list(super().to_internal_value(data))

    def run_child_validation(self, data: list[Any]) -> list[Any]:
        checked, errors = [], dict[Any, Any]()
        for place, entry in enumerate(data):
            try:
                checked.append(self.child.run_validation(entry))
            except serializers.ValidationError as error:
                errors[place] = error.detail
            if len(errors) == MOST_NAMED:
                break
        if errors:
            raise serializers.ValidationError(errors)
        return checked


def _parsed(parse: Callable[[str], Any], data: Any) -> Any:
    try:
        return parse(data) if isinstance(data, str) else None
    except ValueError:  # well written, and no day of any calendar
        return None
