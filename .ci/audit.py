"""Asks a service of advisories about every locked package, and says what became of the question.

``python .ci/audit.py``; exit codes: 0 nothing is known of any package, 1 something is, 75 some or all could not be
asked about. The last is no verdict: whoever has a network asks again (``make audit`` fails until all are answered).
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PIP_AUDIT = ROOT / ".venv-audit" / "bin" / "pip-audit"
LOCK = ROOT / "requirements-dev.lock"  # what runs is in it too, in the same versions: a test holds them to that
ANSWER_SECONDS_MAX = 120
OPTIONS = ("--format", "json", "--progress-spinner", "off", "--timeout", "5")
HOLES_KNOWN, NOT_ASKED = 1, 75


def verdict(dependencies: list[dict[str, Any]]) -> tuple[int, list[str]]:
    """The exit code and what to say, from pip-audit's report."""
    lines = [
        f"{one['name']} {one['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'no version yet'}"
        for one in dependencies
        for hole in one.get("vulns", ())
    ]
    if lines:
        return HOLES_KNOWN, [*lines, f"{len(lines)} known holes: take a version that mends them, and compile the locks"]
    unasked = [one for one in dependencies if "skip_reason" in one]
    if unasked or not dependencies:
        return NOT_ASKED, [
            f"nobody answered about {len(unasked)} of {len(dependencies)} packages: run make audit online"
        ]
    return 0, [f"{len(dependencies)} packages, and no known hole in any"]


def ask() -> list[dict[str, Any]]:
    """What pip-audit reports of the lock; nothing where it gets no answer at all."""
    command = (PIP_AUDIT, "--disable-pip", "--require-hashes", "--requirement", LOCK, *OPTIONS)
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_SECONDS_MAX, check=False)
        report: dict[str, list[dict[str, Any]]] = json.loads(asked.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        return []
    return report["dependencies"]


def main() -> int:
    """Ask, and print the verdict."""
    code, lines = verdict(ask())
    print("\n".join(lines))
    return code


if __name__ == "__main__":
    sys.exit(main())
