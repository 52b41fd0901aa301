"""Run tests against a mutant, in a fork of this process.

Cold: the fork imports the module from the changed tree, and then everything else.
Warm, which takes a tenth of the time: a session of pytest has imported everything and run all tests
once; its forks put the changed code into the functions that there are. What ran at import, such as
a constant or a function that makes others, has to be tried cold.
"""

from __future__ import annotations

import ast
import gc
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, FunctionType

import coverage
import hypothesis.strategies
import pytest

from mutating.mutants import Mutant, mutants_of

# Few examples, the same each time; a failure need not be made small.
hypothesis.settings.register_profile(
    "mutants",
    max_examples=30,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
)
# Plain assertions, because pytest would import flaggate itself to rewrite those of its plugin.
OPTIONS = ["--quiet", "--exitfirst", "--assert=plain", "-pno:cacheprovider"]
OPTIONS += ["--hypothesis-profile=mutants"]
SURVIVED, NEEDS_COLD = 0, 100  # exit codes of a trial


def in_fork(work: Callable[[], int], seconds: float) -> int:
    """Return what it returns, or the negative number of the signal that ended it in the end."""
    child = os.fork()
    if not child:
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds)
            os._exit(work())
        finally:
            os._exit(pytest.ExitCode.INTERNAL_ERROR)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def run_pytest(tests: list[str], *plugins: object) -> int:
    """Run it without a word."""
    if "MUTANTS_SHOW" not in os.environ:
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
    return int(pytest.main([*OPTIONS, *tests], plugins=list(plugins)))


def cold(path: Path, tree: ast.Module, tests: list[str]) -> int:
    """Return pytest's exit code for the module as the tree has it."""
    sys.meta_path.insert(0, Loader(path, tree))
    try:
        return in_fork(lambda: run_pytest(tests), 120)
    finally:
        del sys.meta_path[0]


class Loader(SourceFileLoader):
    """Stands before all finders of modules, and knows one."""

    def __init__(self, path: Path, tree: ast.Module) -> None:
        name = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        super().__init__(name, str(path.absolute()))
        self.code = compile(tree, self.path, "exec")

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        """Return how to import the module, if it is this one."""
        if fullname != self.name:
            return None
        return spec_from_file_location(fullname, self.path, loader=self)

    def get_code(self, fullname: str) -> CodeType:
        """Return the code of the tree, and not that of the file."""
        return self.code


class Session:
    """A plugin for pytest that tries all mutants of a module, warm, and writes what it found."""

    def __init__(self, path: Path, results: Path) -> None:
        self.path = str(path.absolute())
        self.tree = ast.parse(path.read_text())
        self.results = results
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run all tests, and then for each mutant those that reach it."""
        self.items = {item.nodeid: item for item in session.items}
        reached = self.measure()
        self.functions = [
            each
            for each in gc.get_objects()
            if type(each) is FunctionType and each.__code__.co_filename == self.path
        ]
        gc.freeze()
        if in_fork(lambda: self.run(list(self.items)), 900):
            os._exit(pytest.ExitCode.TESTS_FAILED)  # they can't be run twice
        codes = {at: self.outcome(each, reached) for at, each in enumerate(mutants_of(self.tree))}
        self.results.write_text(json.dumps(codes))
        os._exit(pytest.ExitCode.OK)

    def measure(self) -> dict[int, set[str]]:
        """Run all tests; return which reach a line."""
        meter = coverage.Coverage(data_file=None, config_file=False, include=[self.path])
        meter.start()
        for test in self.items:
            started = time.perf_counter()
            meter.switch_context(test)
            self.run([test])
            self.seconds[test] = time.perf_counter() - started
        meter.stop()
        reached = meter.get_data().contexts_by_lineno(self.path)
        return {line: set(tests) for line, tests in reached.items()}

    def outcome(self, mutant: Mutant, reached: dict[int, set[str]]) -> int:
        """Run the tests that reach it, the quickest first; what takes far too long is noticed."""
        tests = set().union(*(reached.get(line, ()) for line in mutant.lines)) & self.items.keys()
        if mutant.at_import or not tests:
            return NEEDS_COLD
        ordered = sorted(tests, key=self.seconds.__getitem__)
        limit = 10 + 5 * sum(self.seconds[test] for test in tests)
        return in_fork(lambda: self.mutate() or self.run(ordered), limit)

    def mutate(self) -> int:
        """Put the code of the tree into the functions of the module, if it fits into them."""
        found = dict(_codes(compile(self.tree, self.path, "exec")))
        for function in self.functions:
            code = found.get(_place(function.__code__), function.__code__)
            if len(code.co_freevars) != len(function.__code__.co_freevars):
                return NEEDS_COLD
            function.__code__ = code
        return 0

    def run(self, tests: list[str]) -> int:
        """Run these tests; the first that fails ends this process."""
        for test in tests:
            item = self.items[test]
            # Whatever belongs to the session, as the test database does, is still needed.
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=item.session)
        return 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """End the process."""
        if report.failed:
            os.write(2, str(report.longrepr).encode())
            os._exit(pytest.ExitCode.TESTS_FAILED)


def _codes(code: CodeType) -> Iterator[tuple[object, CodeType]]:
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield _place(inner), inner
            yield from _codes(inner)


def _place(code: CodeType) -> object:
    return code.co_qualname, code.co_firstlineno
