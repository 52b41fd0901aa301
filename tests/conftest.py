"""What holds for every test: nothing is skipped in CI, and hypothesis does not watch the clock."""

import os
from collections.abc import Generator
from typing import Any

import hypothesis
import pytest

from tests.databases import migrated as migrated
from tests.databases import shared_database as shared_database

# A shared machine is slow now and then: an example that takes long is no failure.
hypothesis.settings.register_profile("flaggate", deadline=None, print_blob=True)
hypothesis.settings.load_profile("flaggate")

RUNS_ALL = os.environ.get("FLAGGATE_TEST_ALL") == "1"


def fail_if_skipped(report: Any) -> None:
    if RUNS_ALL and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"FLAGGATE_TEST_ALL=1 allows no skip: {report.longrepr}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    fail_if_skipped(report)
    return report
