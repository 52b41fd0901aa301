"""The audit: what could not be asked about is never passed off as clean."""

import audit
import pytest

CLEAN = {"name": "django", "version": "5.2", "vulns": []}
VULNERABLE = {
    "name": "sqlparse",
    "version": "0.4",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["0.5"]}],
}
UNKNOWN = {"name": "mmh3", "skip_reason": "Dependency not found on PyPI"}


def run(monkeypatch, *packages):
    monkeypatch.setattr(audit, "check_code", lambda: None)
    monkeypatch.setattr(audit, "ask_service", lambda: list(packages))
    monkeypatch.setattr(audit, "MAY_BE_OFFLINE", False)
    audit.main()


def test_what_is_clean_passes(monkeypatch, capsys):
    run(monkeypatch, CLEAN)
    assert capsys.readouterr().out == "pip-audit: no known vulnerability in 1 of 1 packages.\n"


def test_a_known_vulnerability_fails_and_is_named(monkeypatch, capsys):
    with pytest.raises(SystemExit, match="FAILED: pip-audit"):
        run(monkeypatch, CLEAN, VULNERABLE)
    assert "sqlparse 0.4: PYSEC-1, fixed in 0.5" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("packages", "names"), [([CLEAN, UNKNOWN], "mmh3"), ([UNKNOWN], "all of them"), ([], "all")]
)
def test_what_could_not_be_asked_about_fails_and_is_named(monkeypatch, capsys, packages, names):
    with pytest.raises(SystemExit, match="not everything was audited"):
        run(monkeypatch, *packages)
    assert f"NOT AUDITED: {names}" in capsys.readouterr().out


def test_without_internet_it_can_be_told_to_say_so_only(monkeypatch, capsys):
    monkeypatch.setattr(audit, "MAY_BE_OFFLINE", True)
    audit.tell_skipped("all of them")
    assert "NOT AUDITED: all of them." in capsys.readouterr().out
