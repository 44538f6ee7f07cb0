"""Runs the checks, all of them whatever fails, and says at the end what became of each.

``python .ci/checks.py fast`` or ``all``; the exit code is 0 only when no check failed. One that could not be made for
want of a network says so, and is named at the end. The checks of a row run one after another, and the rows beside
each other: what the first row prints is seen at once, what another prints when the check has ended.
"""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
RULE_COLUMNS = 100
NOT_MADE = 75  # the exit code of a check that could not be made
# Bytecode is kept, whatever the shell says: without it the workers and some eighty processes compile all of the code,
# and pytest rewrites all of the tests.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
_printing = Lock()


@dataclass(frozen=True, slots=True)
class Check:
    """A command that must end with 0."""

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """How a check ended; ``closing_line`` is the last line that it printed."""

    check: Check
    exit_code: int
    seconds: float
    closing_line: str


def tool(name: str, *arguments: str) -> tuple[str, ...]:
    """A command of the virtual environment that runs this file."""
    return (str(BIN / name), *arguments)


OWN_CODE = ("cli", "deploy", "services", "shared")

STATIC = (
    Check("lint", tool("ruff", "check", ".")),
    Check("format", tool("ruff", "format", "--check", ".")),
    Check("imports", tool("lint-imports")),
    Check("types", tool("mypy")),
    Check("security", tool("bandit", "--quiet", "--configfile", "pyproject.toml", "--recursive", *OWN_CODE)),
    Check("advisories", (sys.executable, ".ci/audit.py")),
)
WITHOUT_SERVERS = Check(
    "tests without servers", tool("pytest", "-n", "2", "tests/unit", "tests/properties", "tests/contracts")
)
# A test waits for a server about half of its time: one worker more than cores took 261 s on two cores, two workers 334.
WORKERS = (os.cpu_count() or 1) + 1
TESTS = Check(
    "tests", tool("pytest", "-n", str(WORKERS), "--dist", "worksteal", "-m", "not faults", "--durations", "10")
)
# One after another, for each takes a server or a process away; but of stacks of their own, so that they run beside the
# other tests. All of them are in this folder, which a test looks at.
FAULTS_FOLDER = "tests/end_to_end"
FAULTS = Check("faults", tool("pytest", "-m", "faults", "--durations", "10", FAULTS_FOLDER))

Row = tuple[Check, ...]
SUITES: dict[str, tuple[Row, ...]] = {
    "fast": ((*STATIC, WITHOUT_SERVERS),),
    "all": ((TESTS,), (*STATIC, FAULTS)),
}


def run(check: Check, *, is_seen_at_once: bool) -> Result:
    """Run one check and show what it prints: while it prints it, or all together when it has ended."""
    heading = f"\n── {check.name} ".ljust(RULE_COLUMNS, "─") + "\n"
    if is_seen_at_once:
        show(heading)
    started_at_seconds = time.monotonic()
    kept = [heading]
    closing_line = ""
    with subprocess.Popen(
        check.command,
        cwd=ROOT,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout or ():
            if is_seen_at_once:
                show(line)
            else:
                kept.append(line)
            closing_line = line.strip() or closing_line
    if not is_seen_at_once:
        show("".join(kept))
    return Result(check, process.returncode, time.monotonic() - started_at_seconds, closing_line)


def show(printed: str) -> None:
    """Print it in one piece, whatever another row prints."""
    with _printing:
        print(printed, end="", flush=True)


def run_row(row: Row, *, is_seen_at_once: bool) -> list[Result]:
    """Run the checks of a row, one after another."""
    return [run(check, is_seen_at_once=is_seen_at_once) for check in row]


def main() -> int:
    """Run the suite that was asked for."""
    rows = SUITES[sys.argv[1]]
    with ThreadPoolExecutor(max_workers=len(rows)) as threads:
        running = [threads.submit(run_row, row, is_seen_at_once=row is rows[0]) for row in rows]
        results = [result for row in running for result in row.result()]
    print("\n── summary ".ljust(RULE_COLUMNS, "─"))
    for result in results:
        state = {0: "ok    ", NOT_MADE: "ASK   "}.get(result.exit_code, "FAILED")
        print(f"{state} {result.check.name:<22} {result.seconds:6.1f} s  {result.closing_line}")
    failed = [result.check.name for result in results if result.exit_code not in {0, NOT_MADE}]
    not_made = [result.check.name for result in results if result.exit_code == NOT_MADE]
    print(f"\n{'Failed: ' + ', '.join(failed) if failed else 'No check failed.'}")
    if not_made:
        print(f"Could not be made here, for want of an answer: {', '.join(not_made)}.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
