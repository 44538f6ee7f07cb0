"""``tessera bench engine``: the pure rules engine of accrual, in microseconds a receipt."""

import json
import subprocess
import sys
from typing import Any

from rich.console import Console

from cli.bench.report import note_down
from cli.errors import CommandError

# accrual is not imported here: it measures itself, and says so.
COMMAND = (sys.executable, "-m", "services.accrual.measure_engine")
ENGINE_SECONDS_MAX = 120.0


def measure_engine() -> None:
    """Measure what two rules on five lines take, and twenty active rules on ten lines; needs no server."""
    console = Console()
    measured = _asked()
    two, twenty = measured["two_rules_us"], measured["twenty_rules_us"]
    console.print(f"2 rules, 5 lines: {two:.1f} us; 20 active rules, 10 lines: {twenty:.1f} us", highlight=False)
    note_down("Rules engine", f"{two:.1f}", f"{twenty:.1f}")


def twenty_rules() -> dict[str, Any]:
    """The document of the twenty rules that the engine is measured with."""
    return _asked("rules")


def _asked(*arguments: str) -> dict[str, Any]:
    command = (*COMMAND, *arguments)
    ran = subprocess.run(command, capture_output=True, text=True, timeout=ENGINE_SECONDS_MAX, check=False)  # noqa: S603
    if ran.returncode:
        raise CommandError(f"the engine could not be measured: {ran.stderr}")
    return dict(json.loads(ran.stdout))
