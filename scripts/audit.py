"""Look for known weaknesses: in our code by bandit, in what is installed by pip-audit.

`make audit` calls it. pip-audit asks a service on the internet, and finds nothing wrong with what
the service does not know or can't be asked about; here that is said, and is a failure.

FLAGGATE_AUDIT_OFFLINE=1  what could not be asked is said, and is no failure (CI without internet)
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MAY_BE_OFFLINE = os.environ.get("FLAGGATE_AUDIT_OFFLINE") == "1"

Package = dict[str, Any]


def main() -> None:
    """Run both."""
    os.chdir(ROOT)
    check_code()
    packages = ask_service()
    skipped = [each["name"] for each in packages if "skip_reason" in each]
    audited = [each for each in packages if "skip_reason" not in each]
    refuse_vulnerable(audited)
    print(f"pip-audit: no known vulnerability in {len(audited)} of {len(packages)} packages.")
    if skipped or not packages:
        tell_skipped(", ".join(skipped) if audited else "all of them")


def check_code() -> None:
    """Run bandit; what is no finding is explained beside the code, with `# nosec`."""
    command = [sys.executable, "-m", "bandit", "--quiet", "--recursive", "flaggate"]
    if subprocess.run(command, check=False).returncode:
        sys.exit("FAILED: bandit")
    print("bandit: nothing found in flaggate.")


def ask_service() -> list[Package]:
    """Return what pip-audit says of each package; nothing where it could not ask at all."""
    command = [sys.executable, "-m", "pip_audit", "--skip-editable", "--format=json"]
    said = subprocess.run(
        [*command, "--progress-spinner=off"], check=False, capture_output=True, text=True
    )
    if not said.stdout:
        print(*said.stderr.splitlines()[-1:])
        return []
    packages: list[Package] = json.loads(said.stdout)["dependencies"]
    return [each for each in packages if each["name"] != "flaggate"]


def refuse_vulnerable(packages: list[Package]) -> None:
    """Name each known vulnerability, and fail if there is one."""
    found = [
        f"{each['name']} {each['version']}: {known['id']}, "
        f"fixed in {', '.join(known['fix_versions']) or 'no version yet'}"
        for each in packages
        for known in each["vulns"]
    ]
    if found:
        print(*found, sep="\n")
        sys.exit("FAILED: pip-audit")


def tell_skipped(names: str) -> None:
    """Say of what nothing is known; pip-audit itself calls that success."""
    print(f"NOT AUDITED: {names}. The service that knows of vulnerabilities gave no answer.")
    if not MAY_BE_OFFLINE:
        sys.exit("FAILED: not everything was audited; FLAGGATE_AUDIT_OFFLINE=1 allows that")


if __name__ == "__main__":
    main()
