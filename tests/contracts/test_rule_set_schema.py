"""The published schema of rule sets: it says what the model says, and its words are those of JSON Schema."""

import json
from typing import Any

import jsonschema
import pytest

from cli.bench.rules import RULES as BENCH_RULES
from cli.demo.programme import RULES as DEMO_RULES
from services.accrual.domain.rule_set_schema import rule_set_schema
from services.accrual.domain.rules import RuleSetDraft
from services.accrual.export import FILE, REPORT_FILE, report_schema_text, schema_text
from tests.support.rule_sets import rules_document

SCHEMA = rule_set_schema()


def test_the_committed_schema_is_the_models() -> None:
    assert FILE.read_text() == schema_text(), "run python -m services.accrual.export"


def test_the_committed_schema_of_reports_is_the_models() -> None:
    assert REPORT_FILE.read_text() == report_schema_text(), "run python -m services.accrual.export"
    jsonschema.Draft202012Validator.check_schema(json.loads(REPORT_FILE.read_text()))


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("rules", [BENCH_RULES, list(DEMO_RULES)], ids=["bench", "demo"])
def test_documents_in_use_keep_to_it_and_so_does_what_is_stored_of_them(rules: list[dict[str, Any]]) -> None:
    validator = jsonschema.Draft202012Validator(SCHEMA)
    validator.validate({"rules": rules})
    validator.validate(RuleSetDraft.model_validate({"rules": rules}).model_dump(mode="json"))


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"rules": []},
        rules_document(0),
        rules_document() | {"unknown": 1},
        rules_document(expires_after_days="730"),
    ],
)
def test_what_the_model_cannot_read_the_schema_refuses(document: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        RuleSetDraft.model_validate(document)
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(document)
