"""``python -m services.accrual.export`` writes the JSON Schemas of rule sets and backtests to ``docs/rule-sets``.

They are committed, and tests compare them with the models.
"""

import json
from pathlib import Path
from typing import Any

from services.accrual.domain.rule_set_schema import DIALECT, SCHEMA_ID, rule_set_schema
from services.accrual.schemas.backtest_report import BacktestReport

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "rule-sets"
FILE = FOLDER / SCHEMA_ID
REPORT_SCHEMA_ID = "backtest-report.schema.json"
REPORT_FILE = FOLDER / REPORT_SCHEMA_ID


def schema_text() -> str:
    """The schema of rule sets as the file has it."""
    return _text(rule_set_schema())


def report_schema_text() -> str:
    """The schema of a backtest's report as the file has it."""
    schema = BacktestReport.model_json_schema(mode="serialization")
    return _text({"$schema": DIALECT, "$id": REPORT_SCHEMA_ID} | schema)


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(schema_text())
    REPORT_FILE.write_text(report_schema_text())
