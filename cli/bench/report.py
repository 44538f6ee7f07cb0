"""``docs/benchmarks.md``: a table a scenario, a row a run."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

REPORT = Path("docs/benchmarks.md")


def note_down(scenario: str, *cells: str, report: Path = REPORT) -> None:
    """Append a row, with the date and the machine before it, to the table below the scenario's heading."""
    lines = report.read_text(encoding="utf-8").splitlines()
    start = lines.index(f"## {scenario}")
    end = next((at for at in range(start + 1, len(lines)) if lines[at].startswith("## ")), len(lines))
    last_row = max(at for at in range(start, end) if lines[at].startswith("|"))
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    lines.insert(last_row + 1, f"| {' | '.join((str(datetime.now(UTC).date()), machine, *cells))} |")
    report.write_text("\n".join(lines) + "\n", encoding="utf-8")
