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

from mutating import trial
from mutating.mutants import mutants_of

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "tests" / "README.md"

# Module: the tests that should notice, beside those that have its name.
TESTS = {
    "core/compiler": ["core/test_evaluation", "core/test_laws", "core/test_short_forms"],
    "core/evaluation": ["core/test_compiler", "core/test_laws"],
    "core/bucketing": ["core/test_evaluation"],
    "core/membership": ["core/test_short_forms", "core/test_laws"],
    "core/members": [],
    "core/overrides": ["context/test_overrides"],
    "core/stages": [],
    "core/snapshot": ["core/test_quarantine", "core/test_overrides", "core/test_boundaries"],
    "core/quarantine": ["core/test_snapshot"],
    "core/validation": ["core/test_quarantine"],
    "core/references": ["core/test_membership"],
    "core/operators": ["core/test_readers", "core/test_versions", "core/test_patterns"],
    "core/patterns": ["core/test_operators"],
    "core/readers": ["core/test_operators"],
    "core/explanation": ["core/test_compiler", "core/test_membership", "core/test_laws"],
    "core/boundaries": [],
    "core/definitions": [],
    "core/versions": [],
    "core/messages": ["core/test_validation"],
    "changes/change": ["changes/test_actions", "changes/test_rollouts", "changes/test_permissions"],
    "changes/validation": ["changes/test_change", "changes/test_rollouts", "changes/test_actions"],
    "changes/permissions": ["changes/test_change"],
    "changes/writing": ["changes/test_reverting", "changes/test_actions", "changes/test_together"],
    "changes/members": [],
    "changes/rollouts": [],
    "changes/actions": ["changes/test_members", "changes/test_together"],
    "changes/together": [
        "changes/test_actions",
        "changes/test_permissions",
        "changes/test_reverting",
    ],
    "changes/differences": [],
    "changes/rehearsing": [],
    "changes/reverting": ["changes/test_permissions", "changes/test_together"],
    "store/columns": [],
    "store/loaded": ["store/test_freshness", "store/test_incremental", "core/test_quarantine"],
    "store/freshness": [
        "store/test_bootstrap",
        "store/test_incremental",
        "store/test_lost_connections",
        "store/test_news",
        "store/test_status",
    ],
    "store/__init__": ["store/test_status", "store/test_freshness"],
    "store/bootstrap": [],
    "store/rows": ["store/test_incremental", "store/test_members"],
}


def main() -> None:
    """Try the modules that are named, or all."""
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    explained = README.read_text().splitlines()
    survivors = [each for name in sys.argv[1:] or TESTS for each in survivors_of(name)]
    unexplained = sum(each not in explained for each in survivors)
    if unexplained:
        sys.exit(f"FAILED: tests/README.md does not explain {unexplained} of the survivors")


def survivors_of(name: str) -> list[str]:
    """Try all mutants of a module; return those that no test notices."""
    path = Path("flaggate", f"{name}.py")
    tree = ast.parse(path.read_text())
    if not trial.cold(path, ast.parse(""), tests_of(name)):
        sys.exit(f"{name}: its tests pass without it.")
    outcomes = try_warm(name, path)
    survivors = []
    for at, mutant in enumerate(mutants_of(tree)):
        outcome = outcomes[str(at)]
        if outcome == trial.NEEDS_COLD:
            outcome = trial.cold(path, tree, tests_of(name))
        if outcome == trial.SURVIVED:
            survivors.append(f"{name} {mutant}")
            print(f"line {mutant.lines[0]}: {survivors[-1]}", flush=True)
    print(f"{name}: {len(outcomes)} mutants, {len(survivors)} survived.", flush=True)
    return survivors


def tests_of(name: str) -> list[str]:
    """Return the test modules that exist."""
    layer, _, noun = name.partition("/")
    named = [f"{layer}/test_{noun}", *TESTS.get(name, [])]
    return [path for each in named if os.path.exists(path := f"tests/{each}.py")]


def try_warm(name: str, path: Path) -> dict[str, int]:
    """Return how the trial of each mutant ended, by its number."""
    with tempfile.TemporaryDirectory() as directory:
        results = Path(directory, "results")
        session = trial.Session(path, results)
        if trial.in_fork(lambda: trial.run_pytest(tests_of(name), session), 7200):
            sys.exit(f"{name}: its tests fail without a mutant, or do not reach it.")
        outcomes: dict[str, int] = json.loads(results.read_text())
        return outcomes


if __name__ == "__main__":
    main()
