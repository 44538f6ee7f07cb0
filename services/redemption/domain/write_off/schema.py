"""The JSON Schema of a document of write-off rules, for editors and whoever writes one."""

from typing import Any

from services.redemption.domain.write_off.rules import WriteOffRulesDraft

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SCHEMA_ID = "write-off-rules.schema.json"


def write_off_rules_schema() -> dict[str, Any]:
    """The schema of what ``POST /v1/write-off-rules`` takes."""
    schema = WriteOffRulesDraft.model_json_schema(mode="validation")
    return {"$schema": DIALECT, "$id": SCHEMA_ID} | schema | {"title": "Write-off rules"}
