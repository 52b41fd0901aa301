"""``override_flag``: forced answers, for everybody, as long as a test wants them."""

from __future__ import annotations

import asyncio
import unittest
from typing import Any
from urllib.request import urlopen

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import SimpleTestCase, TestCase, override_settings
from django.urls import path

import flaggate
from flaggate import changes, recording
from flaggate.core.evaluation import UNSET
from flaggate.exceptions import UnknownFlag
from flaggate.overlay import Override
from flaggate.testing import override_flag
from tests.fixtures import layouts, released

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


def live(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(request.flags.is_active("new_checkout")))


urlpatterns = [path("live/", live)]


@pytest.fixture(autouse=True)
def _nothing_stays_forced() -> Any:
    yield
    assert not Override.active


def is_active() -> bool:
    return flaggate.is_active("new_checkout", "42")


# --- What is forced ---


def test_a_flag_is_on_for_everybody_and_then_as_it_was():
    changes.create("new_checkout")
    flags = flaggate.flags_for("42")
    with override_flag("new_checkout"):
        assert flags.is_active("new_checkout") is True
        assert flags.value("new_checkout") is True
        assert flags.variant("new_checkout") is None
        assert flaggate.is_active("new_checkout")
    assert not flags.is_active("new_checkout")


def test_a_flag_is_off_for_everybody():
    released("new_checkout")
    with override_flag("new_checkout", active=False):
        assert is_active() is False
        assert flaggate.value("new_checkout", "42", default="on") is False


def test_the_flag_needs_not_exist():
    with override_flag("new_checkout"):
        assert is_active()
    with override_flag("new_checkout", active=False):
        assert not is_active()
        assert flaggate.value("new_checkout", default=10) == 10


def test_a_multivariate_flag_that_is_forced_off_is_off_as_it_would_be():
    released("limit", variants=[("low", 5, 1)])
    layouts("layout", off_variant="wide")
    with override_flag("limit", active=False), override_flag("layout", active=False):
        assert flaggate.value("limit", default=10) == 10
        assert flaggate.variant("limit") is None
        assert flaggate.value("layout", default=10) == 2
        assert flaggate.variant("layout") == "wide"


def test_a_variant_has_the_value_that_the_flag_defines():
    layouts("price_layout")
    with override_flag("price_layout", variant="wide"):
        assert flaggate.variant("price_layout") == "wide"
        assert flaggate.value("price_layout") == 2
        assert flaggate.is_active("price_layout")


def test_a_variant_that_the_flag_does_not_define_has_its_key_for_a_value():
    with override_flag("price_layout", variant="wide"):
        assert flaggate.value("price_layout") == "wide"


@pytest.mark.parametrize("value", [{"columns": 4}, None, 0, ""], ids=repr)
def test_a_variant_may_be_given_a_value(value):
    layouts("price_layout")
    with override_flag("price_layout", variant="compact", value=value):
        assert flaggate.variant("price_layout") == "compact"
        assert flaggate.value("price_layout", default="default") == value
        assert flaggate.is_active("price_layout")


def test_a_value_needs_no_variant():
    with override_flag("limit", value=50):
        assert flaggate.value("limit", default=10) == 50
        assert flaggate.variant("limit") is None


def test_a_flag_that_serves_false_is_not_active():
    released("new_checkout", variants=[("off", False, 1)])
    with override_flag("new_checkout", variant="off"):
        assert not is_active()
    with override_flag("new_checkout", value=False):
        assert not is_active()


def test_what_the_test_itself_has_written_counts_as_defined():
    flags = flaggate.flags_for("42")
    layouts("price_layout")
    with override_flag("price_layout", variant="wide"):
        assert flags.value("price_layout") == 2


def test_all_explain_and_in_agree():
    layouts("known")
    flags = flaggate.flags_for("42")
    with override_flag("known", variant="wide"), override_flag("unknown"):
        assert {"known", "unknown"} == set(flags.all())
        assert flags.all()["known"].variant == "wide"
        assert flags.explain("known").evaluation.variant == "wide"
        assert flags.explain("known").flag is not None
        assert flags.explain("unknown").evaluation.active
        assert flags.explain("unknown").flag is None
        assert "unknown" in flags
        assert 5 not in flags
    assert "unknown" not in flags
    assert not flags.explain("unknown").evaluation.active


def test_a_client_sees_no_more_flags_than_without():
    layouts("public", client_visible=True)
    layouts("secret")
    flags = flaggate.flags_for("42")
    overrides = (override_flag(key, variant="wide") for key in ("public", "secret", "unknown"))
    with next(overrides), next(overrides), next(overrides):
        answers = flags.all(client=True)
    assert {key: answer.variant for key, answer in answers.items()} == {"public": "wide"}


def test_an_archived_flag_can_be_forced():
    released("new_checkout")
    changes.archive("new_checkout")
    with override_flag("new_checkout"):
        assert is_active()
        assert flaggate.flags_for().all()["new_checkout"].active


def test_a_forced_answer_is_static_and_not_counted():
    released("new_checkout")
    flags = flaggate.flags_for("42")
    recording.counts.clear()
    with override_flag("new_checkout"):
        assert flags.evaluate("new_checkout").reason == "STATIC"
    assert not recording.counts


@override_settings(FLAGGATE={"STRICT": True})
def test_a_forced_flag_is_a_known_flag():
    with override_flag("new_checkout"):
        assert is_active()
    with pytest.raises(UnknownFlag):
        is_active()


@pytest.mark.parametrize("key", [None, [], 5], ids=repr)
def test_other_keys_stay_unknown(key):
    with override_flag("new_checkout"):
        assert flaggate.evaluate(key).value is UNSET


# --- For how long ---


def test_the_newest_counts_and_ends_first():
    with override_flag("new_checkout"):
        with override_flag("new_checkout", active=False):
            assert not is_active()
        assert is_active()


def test_they_may_end_in_any_order():
    first, second = override_flag("new_checkout"), override_flag("new_checkout", active=False)
    first.enable()
    second.enable()
    first.disable()
    assert not is_active()
    second.disable()
    assert "new_checkout" not in flaggate.flags_for()


def test_one_can_be_used_twice_and_within_itself():
    forced = override_flag("new_checkout")
    for _ in range(2):
        with forced:
            with forced:
                assert is_active()
            assert is_active()
        assert not is_active()


def test_what_is_raised_inside_ends_it_and_passes():
    with pytest.raises(LookupError), override_flag("new_checkout"):
        raise LookupError
    assert not is_active()


# --- Where it is seen ---


@pytest.mark.django_db(transaction=True)
def test_the_thread_of_a_live_server_sees_it(live_server):
    def fetch() -> bytes:
        with urlopen(f"{live_server.url}/live/") as response:
            body: bytes = response.read()
        return body

    assert fetch() == b"False"
    with override_flag("new_checkout"):
        assert fetch() == b"True"
    assert fetch() == b"False"


def test_the_test_client_sees_it(client):
    with override_flag("new_checkout"):
        assert client.get("/live/").content == b"True"


# --- As a decorator ---


@override_flag("new_checkout")
def test_it_decorates_functions():
    assert is_active()


@override_flag("new_checkout")
@override_flag("price_layout", variant="wide")
def test_decorators_stack():
    assert is_active()
    assert flaggate.variant("price_layout") == "wide"


def test_it_decorates_coroutines():
    @override_flag("new_checkout")
    async def inside():
        await asyncio.sleep(0)
        return flags.is_active("new_checkout")

    flags = flaggate.flags_for("42")
    assert asyncio.run(inside())
    assert not is_active()


@override_flag("new_checkout")
class TestAClassThatPytestCollects:
    helper = staticmethod(is_active)

    def setup_method(self):
        assert not is_active()

    def test_each_test_is_decorated(self):
        assert is_active()

    def testing_needs_no_underscore(self):
        assert is_active()

    def test_methods_that_are_no_tests_are_left_alone(self):
        assert self.helper is is_active


class Inherited:
    def test_it(self):
        assert is_active()


@override_flag("new_checkout")
class TestAnInheritedTestIsDecorated(Inherited): ...


def test_the_class_that_it_was_inherited_from_is_not_decorated():
    with pytest.raises(AssertionError):
        Inherited().test_it()


@override_flag("new_checkout")
class TestCaseOfDjango(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.before = is_active()

    def setUp(self) -> None:
        self.during = is_active()

    def test_it_is_forced_from_set_up_on(self) -> None:
        assert not self.before
        assert self.during
        assert is_active()

    async def test_it_is_forced_in_a_coroutine(self) -> None:
        flags = await flaggate.aflags_for("42")
        assert flags.is_active("new_checkout")

    @override_flag("new_checkout", active=False)
    def test_a_methods_own_counts(self) -> None:
        assert not is_active()


@override_flag("new_checkout")
class SimpleCaseOfDjango(SimpleTestCase):
    def test_it_needs_no_database(self) -> None:
        assert is_active()


def test_a_case_that_fails_leaves_nothing_forced():
    @override_flag("new_checkout")
    class Failing(unittest.TestCase):
        def test_it(self) -> None:
            self.fail()

    result = unittest.TestResult()
    Failing("test_it").run(result)
    assert len(result.failures) == 1
    assert not is_active()
