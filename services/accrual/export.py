"""``python -m services.accrual.export`` writes the JSON Schema of rule sets to ``docs/rule-sets``.

It is committed, and a test compares it with the models.
"""

import json
from pathlib import Path

from services.accrual.domain.rule_set_schema import SCHEMA_ID, rule_set_schema

FILE = Path(__file__).resolve().parents[2] / "docs" / "rule-sets" / SCHEMA_ID


def schema_text() -> str:
    """The schema as the file has it."""
    return json.dumps(rule_set_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(schema_text())
