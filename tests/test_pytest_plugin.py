"""What adopters get when they test with pytest: exact query counts, and tests that stay apart."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

SETTINGS = """
    SECRET_KEY = "only-for-tests"
    USE_TZ = True
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
    INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "flaggate"]
    MIDDLEWARE = ["flaggate.middleware.FlagsMiddleware"]
    ROOT_URLCONF = "project_settings"
    urlpatterns = []
"""

HEADER = """
    import logging
    import flaggate, pytest
    from django.test import SimpleTestCase, TestCase, TransactionTestCase, override_settings
    from flaggate import changes, conf, recording
    from flaggate.models import Usage
    from flaggate.store import store

    def ask():
        return flaggate.is_active("new_checkout", "42")
"""


# Fewer plugins start faster; the last tests let pytest find them, as a project does.
PLUGINS = ("-p", "pytest_django.plugin", "-p", "flaggate.pytest_plugin")


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A tiny Django project with tests."""
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(project_settings=SETTINGS)
    pytester.makeini("[pytest]\nDJANGO_SETTINGS_MODULE = project_settings\npythonpath = .\n")
    return pytester


def run(project: pytest.Pytester, tests: str) -> pytest.RunResult:
    project.makepyfile(test_project=HEADER + tests)
    return project.runpytest_subprocess(*PLUGINS, "-p", "no:cacheprovider", "-v")


def test_queries_are_counted_exactly_and_tests_stay_apart(project):
    result = run(
        project,
        """
    class TestExactness(TestCase):
        def test_a_question_costs_no_query(self):
            with self.assertNumQueries(0):
                assert not ask()

        def test_a_page_costs_no_query(self):
            with self.assertNumQueries(0):
                assert self.client.get("/").status_code == 404

    class TestWrites(TestCase):
        def test_1_a_flag_is_seen_in_the_test_that_creates_it(self):
            changes.create("new_checkout", enabled=True)
            assert ask()
            with self.assertNumQueries(0):
                assert ask()
            changes.disable("new_checkout")
            assert not ask()

        def test_2_and_gone_in_the_next(self):
            assert "new_checkout" not in flaggate.flags_for()

    class TestDataOfAClass(TestCase):
        @classmethod
        def setUpTestData(cls):
            changes.create("new_checkout", enabled=True)

        def test_1_is_seen_in_each_test(self):
            assert ask()

        def test_2_may_be_changed(self):
            changes.disable("new_checkout")
            assert not ask()

        def test_3_and_is_as_it_was_in_the_next(self):
            assert ask()

    class TestAfterThatClass(TestCase):
        def test_it_is_gone(self):
            assert "new_checkout" not in flaggate.flags_for()

    class TestCommits(TransactionTestCase):
        def test_1_a_flag_is_seen(self):
            changes.create("new_checkout", enabled=True)
            assert ask()

        def test_2_and_gone_in_the_next(self):
            assert "new_checkout" not in flaggate.flags_for()

        def test_3_and_leaves_nothing(self):
            changes.create("new_checkout", enabled=True)
            assert ask()

    class TestWithoutDatabase(SimpleTestCase):
        def test_it_asks_without_a_query_and_without_a_word(self):
            with self.assertNoLogs("flaggate", "ERROR"):
                assert "new_checkout" not in flaggate.flags_for()

    @pytest.mark.django_db
    def test_functions_too(django_assert_num_queries):
        with django_assert_num_queries(0):
            assert not ask()

    def test_a_function_without_a_database():
        assert "new_checkout" not in flaggate.flags_for()
    """,
    )
    result.assert_outcomes(passed=14)


def test_a_test_that_commits_leaves_no_flag_to_one_that_does_not(project):
    project.makeconftest("""
        def pytest_collection_modifyitems(items):
            items.sort(key=lambda item: item.name)
    """)
    result = run(
        project,
        """
    @pytest.mark.django_db(transaction=True)
    def test_1_commits():
        changes.create("new_checkout", enabled=True)
        assert ask()

    @pytest.mark.django_db
    def test_2_rolls_back(django_assert_num_queries):
        with django_assert_num_queries(0):
            assert "new_checkout" not in flaggate.flags_for()
    """,
    )
    result.assert_outcomes(passed=2)


def test_the_defaults_of_a_test_run_yield_to_what_the_project_sets(project):
    result = run(
        project,
        """
    def test_defaults():
        assert conf.get().MAX_STALENESS is None
        assert conf.get().RECORD_USAGE is False

    @override_settings(FLAGGATE={"MAX_STALENESS": 5, "RECORD_USAGE": True})
    def test_a_test_may_set_them():
        assert conf.get().MAX_STALENESS == 5
        assert conf.get().RECORD_USAGE is True

    @pytest.mark.django_db(transaction=True)
    def test_nothing_is_recorded():
        changes.create("new_checkout", enabled=True)
        assert ask()
        recording.flush()
        assert not Usage.objects.exists()
    """,
    )
    result.assert_outcomes(passed=3)


def test_a_project_may_set_them_for_the_whole_run(project):
    project.makepyfile(
        project_settings=SETTINGS + "    FLAGGATE = {'MAX_STALENESS': 0, 'RECORD_USAGE': True}"
    )
    result = run(
        project,
        """
    @pytest.mark.django_db(transaction=True)
    def test_they_count(django_assert_num_queries):
        assert conf.get() == conf.Settings(MAX_STALENESS=0, RECORD_USAGE=True)
        changes.create("new_checkout", enabled=True)
        assert ask()
        with django_assert_num_queries(1):
            assert ask()
        recording.flush()
        assert Usage.objects.get().count == 2
    """,
    )
    result.assert_outcomes(passed=1)


def test_tests_without_a_database_are_answered_and_leave_the_others_exact(project):
    project.makeconftest("""
        def pytest_collection_modifyitems(items):
            items.sort(key=lambda item: item.name)
    """)
    result = run(
        project,
        """
    def test_1_an_answer_without_a_database():
        assert ask() is False

    @pytest.mark.django_db
    def test_2_an_answer_with_one(django_assert_num_queries):
        with django_assert_num_queries(0):
            assert ask() is False
    """,
    )
    result.assert_outcomes(passed=2)


def test_a_project_that_has_not_installed_flaggate_is_left_alone(project):
    project.makepyfile(
        project_settings=SETTINGS.replace(', "flaggate"', ""),
        test_project="""
    import pytest

    @pytest.mark.django_db
    def test_it(django_assert_num_queries): ...
    """,
    )
    project.runpytest_subprocess(*PLUGINS).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("arguments", "expected"), [((), None), (("-p", "no:flaggate"), 1.0)], ids=["on", "off"]
)
def test_pytest_finds_the_plugin_unless_it_is_switched_off(
    project, monkeypatch, arguments, expected
):
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    project.makepyfile(f"""
    from flaggate import conf

    def test_it():
        assert conf.get().MAX_STALENESS == {expected}
    """)
    project.runpytest_subprocess(*arguments).assert_outcomes(passed=1)


def test_a_project_without_django_is_left_alone(pytester, monkeypatch):
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile("def test_it(): ...")
    pytester.runpytest_subprocess("-p", "flaggate.pytest_plugin").assert_outcomes(passed=1)
