"""Force flags in tests."""

from __future__ import annotations

from inspect import getattr_static, isfunction
from typing import Any
from unittest import TestCase

from django.test.utils import TestContextDecorator

from flaggate.core.evaluation import UNSET
from flaggate.overlay import Override


class override_flag(TestContextDecorator):
    """Force the answer of a flag, for everybody and in all threads.

    A context manager, and a decorator of functions and of classes (a TestCase, or a class that
    pytest collects). Active without further arguments; ``active=False`` forces the flag off.
    ``variant`` serves a variant, with the value that the flag defines for it, or with ``value``; a
    flag that serves False is not active. The flag needs not exist. The reason of a forced answer is
    STATIC, and it is not counted.
    """

    def __init__(
        self,
        key: str,
        active: bool = True,
        *,
        variant: str | None = None,
        value: Any = UNSET,
    ) -> None:
        super().__init__()
        self.key = key
        self.arguments = (key, active, variant, value)
        self._entered: list[Override] = []

    def enable(self) -> Override:
        """Begin to force the answer."""
        override = Override(*self.arguments)
        self._entered.append(override)
        Override.active.append(override)
        return override

    def disable(self) -> None:
        """Stop; by identity, because overrides of one flag may end in any order."""
        Override.active.remove(self._entered.pop())

    def decorate_class(self, cls: Any) -> Any:
        """Force the answer in each test of a class: a TestCase, or one that pytest collects."""
        if issubclass(cls, TestCase):
            return super().decorate_class(cls)
        for name in dir(cls):  # inherited tests too
            member = getattr_static(cls, name)
            if name.startswith("test") and isfunction(member):
                setattr(cls, name, self.decorate_callable(member))
        return cls
