"""What `manage.py test` runs."""

from django.test import TestCase

import flaggate
from flaggate import changes


class AskingTests(TestCase):
    def test_flags_are_those_of_the_test(self) -> None:
        assert not flaggate.is_active("x")
        changes.create("x", enabled=True)
        assert flaggate.is_active("x")
