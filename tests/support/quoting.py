"""Quotes under published write-off rules, and holds by them, short to write."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from services.redemption.domain.holding import HoldRequest, Paid
from services.redemption.domain.write_off.quoting import BasketLine
from services.redemption.programme import Programme, PublishedWriteOffRules
from services.redemption.use_cases.hold_points import Declined, Held, Spender, hold_points
from services.redemption.use_cases.quote_points import Asked, Quoted, quote_points
from services.redemption.use_cases.write_off_rules import check_write_off_rules, publish_write_off_rules
from shared.database import Transaction
from shared.rule_sets.steps import approve_rule_set, draft_rule_set, submit_rule_set
from tests.support.receipts import member
from tests.support.redemption import PROGRAMME, Spending

ANNA = member(1)
QUARTER_HOUR = timedelta(minutes=15)


async def published(spending: Spending, document: dict[str, Any]) -> Programme:
    """The programme under these rules, the first of all: they have been in force for long."""

    async def publish(transaction: Transaction) -> None:
        checked = await check_write_off_rules(transaction, document)
        rule_set_id = (await draft_rule_set(transaction, checked, "alice")).after.rule_set_id
        await submit_rule_set(transaction, rule_set_id, "alice")
        await approve_rule_set(transaction, rule_set_id, "bob")
        await publish_write_off_rules(transaction, rule_set_id, "bob", datetime(2020, 1, 1, tzinfo=UTC))

    programme = replace(PROGRAMME, write_off=PublishedWriteOffRules())
    await spending.do(publish)
    await spending.do(programme.write_off.refresh)
    return programme


def asked(*lines: tuple[int, str | None], wanted: int | None = None, partner_id: str = "grocer") -> Asked:
    return Asked(
        partner_id,
        [BasketLine(number, amount) for number, (amount, _) in enumerate(lines, 1)],
        [category for _, category in lines],
        points_wanted=wanted,
    )


async def quoted(
    spending: Spending,
    programme: Programme,
    basket: Asked,
    member_id: UUID = ANNA,
    valid_for: timedelta = QUARTER_HOUR,
) -> Quoted:
    return await spending.do(
        lambda transaction: quote_points(transaction, Spender(member_id), basket, programme, valid_for)
    )


async def hold(
    spending: Spending,
    programme: Programme,
    points: int,
    quote_id: UUID | None,
    member_id: UUID = ANNA,
    partner_id: str = "grocer",
) -> Held | Declined | Paid:
    async def work(transaction: Transaction) -> Held | Declined | Paid:
        request = HoldRequest(partner_id, points, transaction.now + QUARTER_HOUR, quote_id=quote_id)
        return await hold_points(transaction, Spender(member_id), request, programme)

    return await spending.do(work)
