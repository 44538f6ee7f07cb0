"""``/v1/write-off-rules``: what points pay for, how much of it, and at what price."""

from fastapi import APIRouter

from services.redemption.domain.write_off.rules import WriteOffRulesDraft
from services.redemption.domain.write_off.schema import write_off_rules_schema
from services.redemption.use_cases.write_off_rules import check_write_off_rules, publish_write_off_rules
from shared.database import Database
from shared.rule_sets.kind import RuleSetKind
from shared.rule_sets.routes import rule_set_routers

KIND = RuleSetKind(
    prefix="/v1/write-off-rules",
    tag="write-off rules",
    model=WriteOffRulesDraft,
    schema=write_off_rules_schema,
    check=check_write_off_rules,
    publish=publish_write_off_rules,
    read_scope="write-off-rules:read",
    write_scope="write-off-rules:write",
    approve_scope="write-off-rules:approve",
)


def write_off_rules_routers(database: Database) -> tuple[APIRouter, ...]:
    """Write-off rules from draft to end."""
    return rule_set_routers(database, KIND)
