"""Lets go of own cards that are hashed with a key which is valid no more: nothing meets them, not even an erasure."""

from functools import partial

from services.coalition.domain.audit import SETTINGS_AUTHOR, Act
from services.coalition.domain.operators import Operator
from services.coalition.repository import operators, partners
from services.coalition.use_cases.operator_events import operator_changed
from services.coalition.use_cases.record_acts import record_acts
from shared import outbox
from shared.database import Database, Transaction

RETIRED_PAGE_MAX = 500


async def retire_own_cards(database: Database, oldest_version: int) -> None:
    """Take away what was hashed with keys of lower versions than the oldest valid one, page by page, and tell of it.

    Idempotent. A process that has not heard of a new key yet leaves what another one hashed with it.
    """
    while await database.run(partial(_retire_page, oldest_version=oldest_version)):
        pass


async def _retire_page(transaction: Transaction, oldest_version: int) -> bool:
    """Whether there was anything; one partner's at a time, under its row."""
    await operators.hold_for_writing(transaction)
    partner_id = await operators.find_partner_with_retired_cards(transaction, oldest_version)
    if partner_id is None:
        return False
    await partners.lock_partner(transaction, partner_id)
    retired = await operators.retire_cards(transaction, partner_id, oldest_version, RETIRED_PAGE_MAX)
    await record_acts(transaction, [_act(operator) for operator in retired])
    await outbox.record(transaction, [operator_changed(transaction, operator) for operator in retired])
    return True


def _act(operator: Operator) -> Act:
    after = operator.facts()
    before = after | {"has_own_card": True, "version": operator.version - 1}
    return Act(SETTINGS_AUTHOR, "operator.card_retired", operator.subject, operator.partner_id, before, after)
