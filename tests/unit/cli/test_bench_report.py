"""Rows noted down in the report of benchmarks."""

from pathlib import Path

import pytest

from cli.bench.report import note_down

REPORT = """# Benchmarks

## Pipelines

| date | machine | rate |
| --- | --- | --- |
| then | there | 1 |

## Registry

| date | machine | rate |
| --- | --- | --- |
"""


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "benchmarks.md"
    path.write_text(REPORT)
    return path


def test_a_row_goes_to_the_end_of_its_own_table(report: Path) -> None:
    note_down("Pipelines", "2", report=report)
    note_down("Registry", "3", report=report)
    pipelines, registry = report.read_text().split("## Registry")
    assert [line.split(" | ")[-1] for line in pipelines.strip().splitlines()[-2:]] == ["1 |", "2 |"]
    assert registry.strip().splitlines()[-1].endswith("| 3 |")


def test_a_scenario_without_a_table_is_an_error(report: Path) -> None:
    with pytest.raises(ValueError, match="Unknown"):
        note_down("Unknown", "1", report=report)
    assert report.read_text() == REPORT


def test_every_scenario_has_its_table_in_the_committed_report(tmp_path: Path) -> None:
    copy = tmp_path / "copy.md"
    copy.write_text(Path("docs/benchmarks.md").read_text())
    for scenario in ("Pipelines", "Registry"):
        note_down(scenario, "1", report=copy)
