"""The JSON Schema of a rule-set document, for editors and whoever writes one.

It says which documents can be read at all. What only the whole document shows (ids that stand twice, rules that can
never apply) is found when it is drafted.
"""

from typing import Any

from services.accrual.domain.rules import RuleSetDraft

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SCHEMA_ID = "rule-set.schema.json"


def rule_set_schema() -> dict[str, Any]:
    """The schema of what ``POST /v1/rule-sets`` takes."""
    schema = RuleSetDraft.model_json_schema(mode="validation")
    return {"$schema": DIALECT, "$id": SCHEMA_ID} | schema | {"title": "Rule set"}
