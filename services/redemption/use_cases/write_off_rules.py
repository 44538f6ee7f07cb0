"""Check a document of write-off rules before it becomes a draft, and publish an approved one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from services.redemption.domain.write_off.faults import find_faults, partners_named
from services.redemption.domain.write_off.rules import WriteOffRulesDraft
from services.redemption.repository import places
from shared.database import Transaction
from shared.rule_sets.kind import FaultyRuleSetError
from shared.rule_sets.life import Step
from shared.rule_sets.steps import publication, save_step


async def check_write_off_rules(transaction: Transaction, document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with every default said, as it is stored.

    Raises:
        FaultyRuleSetError: all that is wrong with it.
    """
    known = await places.find_known_partners(transaction, partners_named(document))
    faults = find_faults(document, known)
    if faults:
        raise FaultyRuleSetError(faults)
    return WriteOffRulesDraft.model_validate(document).model_dump(mode="json")


async def publish_write_off_rules(
    transaction: Transaction, rule_set_id: UUID, publisher: str, effective_from: datetime
) -> Step:
    """Publish rules as the next version, in force from a time on; every process has read them by then.

    Raises:
        RuleSetNotFoundError, RuleSetStateError, OwnDraftError, PublishedTooLateError, EffectiveTimeTakenError: nothing
            was changed.
    """
    step = await publication(transaction, rule_set_id, publisher, effective_from)
    await save_step(transaction, step)
    return step
