"""Break the code on purpose, a little at a time, and see whether a test notices.

`make mutants` calls it for every module in `TESTS`; `make mutants ONLY=core/bucketing` for one.
A mutant lives in memory, in a fork of this process, which runs the tests that reach the changed
lines, the quickest first. A survivor that stands in tests/README.md is explained; any other makes
the run fail.
"""

from __future__ import annotations

import ast
import json
import os
import sys
import tempfile
from pathlib import Path

import pytest
from mutating import trial
from mutating.mutants import mutants_of

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "tests" / "README.md"

# Module: the tests that should notice, beside those that have its name.
TESTS = {
    "core/compiler": ["core/test_evaluation", "core/test_laws", "core/test_short_forms"],
    "core/evaluation": ["core/test_compiler", "core/test_laws"],
    "core/bucketing": ["core/test_evaluation"],
    "core/membership": ["core/test_evaluation", "core/test_laws"],
    "core/members": [],
    "core/overrides": ["test_overrides"],
    "core/stages": [],
    "core/snapshot": ["core/test_quarantine", "core/test_laws"],
    "core/quarantine": ["core/test_snapshot"],
    "core/validation": ["core/test_quarantine"],
    "core/references": ["core/test_validation"],
    "core/operators": ["core/test_readers", "core/test_versions", "core/test_ruinous_patterns"],
    "core/readers": ["core/test_operators"],
    "core/explanation": [],
    "changes/change": ["changes/test_actions"],
    "changes/permissions": ["changes/test_change"],
    "changes/writing": ["changes/test_change"],
    "changes/members": [],
    "changes/rollouts": [],
    "store/freshness": [],
    "store/rows": ["store/test_incremental"],
    "store/columns": ["store/test_rows"],
}


class Selection:
    """Only these tests, in this order: a plugin for pytest."""

    def __init__(self, tests: list[str]) -> None:
        self.order = {test: at for at, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave the others out."""
        chosen = [item for item in items if item.nodeid in self.order]
        items[:] = sorted(chosen, key=lambda item: self.order[item.nodeid])


def main() -> None:
    """Try the modules that are named, or all."""
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    explained = README.read_text()
    survivors = [each for name in sys.argv[1:] or TESTS for each in survivors_of(name)]
    unexplained = sum(f"`{each}`" not in explained for each in survivors)
    if unexplained:
        sys.exit(f"FAILED: tests/README.md does not explain {unexplained} of the survivors")


def survivors_of(name: str) -> list[str]:
    """Try all mutants of a module; return those that no test notices."""
    path = Path("flaggate", f"{name}.py")
    tree = ast.parse(path.read_text())
    suspects = warm_suspects(name, path)
    if not trial.cold(path, ast.parse(""), tests_of(name)):
        sys.exit(f"{name}: its tests pass without it.")
    survivors = []
    count = 0
    for at, mutant in enumerate(mutants_of(tree)):
        count += 1
        tests = suspects.get(str(at))
        if tests and not is_killed_cold(path, tree, tests):
            survivors.append(f"{name} {mutant}")
            print(f"line {mutant.lines[0]}: {survivors[-1]}", flush=True)
    print(f"{name}: {count} mutants, {len(survivors)} survived.", flush=True)
    return survivors


def tests_of(name: str) -> list[str]:
    """Return the test modules that exist."""
    layer, _, noun = name.partition("/")
    named = [f"{layer}/test_{noun}", *TESTS[name]]
    return [path for each in named if os.path.exists(path := f"tests/{each}.py")]


def warm_suspects(name: str, path: Path) -> dict[str, list[str]]:
    """Return the numbers of the mutants that seem to survive, and the tests that reach them."""
    with tempfile.TemporaryDirectory() as directory:
        results = Path(directory, "results")
        session = trial.Session(path, results)
        if trial.in_fork(lambda: trial.run_pytest(tests_of(name), session), 7200):
            sys.exit(f"{name}: its tests fail without a mutant.")
        suspects: dict[str, list[str]] = json.loads(results.read_text())
        return suspects


def is_killed_cold(path: Path, tree: ast.Module, tests: list[str]) -> bool:
    """Run tests in a process that has imported nothing before."""
    files = sorted({test.partition("::")[0] for test in tests})
    return trial.cold(path, tree, files, Selection(tests)) != 0


if __name__ == "__main__":
    main()
