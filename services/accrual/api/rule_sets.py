"""``/v1/rule-sets``: the rules that purchases and other events earn by."""

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from fastapi import APIRouter

from services.accrual.domain.rule_set_schema import rule_set_schema
from services.accrual.domain.rules import RuleSetDraft
from services.accrual.use_cases.check_rule_set import check_rule_set
from services.accrual.use_cases.publish_rule_set import publish_rule_set
from shared.database import Database, Transaction
from shared.point_types import ONE_TYPE, PointTypes
from shared.rule_sets.kind import RuleSetKind
from shared.rule_sets.routes import rule_set_routers as routers_of


def rule_set_routers(database: Database, zone: tzinfo, point_types: PointTypes = ONE_TYPE) -> tuple[APIRouter, ...]:
    """Rule sets from draft to end. ``zone`` is where the programme's days end; rules name ``point_types``."""

    async def check(transaction: Transaction, document: Mapping[str, Any]) -> dict[str, Any]:
        return await check_rule_set(transaction, document, zone, point_types)

    kind = RuleSetKind(
        prefix="/v1/rule-sets",
        tag="rule sets",
        model=RuleSetDraft,
        schema=rule_set_schema,
        check=check,
        publish=publish_rule_set,
        read_scope="rules:read",
        write_scope="rules:write",
        approve_scope="rules:approve",
    )
    return routers_of(database, kind)
