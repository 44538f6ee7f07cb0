"""Says what became of documents whose claims are ours: awarded, refused, or waiting for what is not known yet."""

from collections.abc import Sequence

from services.accrual.domain.decisions import Awarded, ClawedBack, Decision, Exchanged, Parked, Refused, UnlinkedReturn
from services.accrual.repository import claims, parked, refusals
from services.accrual.repository.claims import ClaimState
from services.accrual.repository.parked import ParkedRow
from services.accrual.repository.refusals import RefusalRow
from services.accrual.repository.stored_documents import without_identifier
from services.accrual.use_cases.save_unlinked_returns import save_waiting_for_people
from shared.database import Transaction
from shared.events.purchases import ReturnData, VoidData


async def save_waiting_and_refused(
    transaction: Transaction, waiting: Sequence[Parked], refused: Sequence[Refused]
) -> None:
    """Keep the documents that move nothing: those that wait, under what they wait for, and those that never will."""
    await parked.park(
        transaction,
        [_parked_row(decision) for decision in waiting],
    )
    await save_waiting_for_people(transaction, waiting)
    await refusals.save(
        transaction,
        [
            RefusalRow(
                decision.document.natural_key,
                decision.document.content_hash,
                decision.reason,
                decision.detail,
                decision.document.body,
                decision.owner_id,
            )
            for decision in refused
        ],
    )


def _parked_row(decision: Parked) -> ParkedRow:
    """A receipt that names its member needs no hash any more, and waits without it."""
    document = decision.document
    data = document.event.data
    # Who needs no card to decide, and whose a return or a void is their purchase says.
    is_named = data.member_id is not None or decision.missing == "person"
    is_named = is_named or (decision.missing == "purchase" and isinstance(data, ReturnData | VoidData))
    return ParkedRow(
        document.natural_key,
        decision.reason,
        _waits_for(decision),
        data.member_id or decision.owner_id,
        None if is_named else data.identifier_hash,
        without_identifier(document.body) if is_named else document.body,
    )


def _waits_for(decision: Parked) -> str | None:
    document = decision.document
    data = document.event.data
    match decision.missing:
        case "identifier" if data.identifier_hash is not None:
            return parked.waits_for_identifier(data.identifier_hash)
        case "member" if decision.owner_id is not None:
            return parked.waits_for_member(decision.owner_id)
        case "till":
            return parked.waits_for_till(*document.till)
        case "rules":
            return parked.waits_for_rules(data.occurred_at)
        case "contract":
            return parked.waits_for_contract(data.partner_id, data.occurred_at)
        case "funds":
            return parked.waits_for_funds(data.partner_id, data.received_at)
        case "purchase" if document.original_key is not None:
            return parked.waits_for_receipt(document.original_key)
        case _:
            return None


async def settle_claims(transaction: Transaction, decisions: Sequence[Decision]) -> None:
    """Say what became of each claim, which stood as parked until now (or as failed, from an earlier attempt)."""
    awarded: list[bytes] = []  # to the member whom the document names, as nearly all are
    others: list[Decision] = []
    for decision in decisions:
        if isinstance(decision, Awarded) and decision.document.event.data.member_id == decision.owner_id:
            awarded.append(decision.document.natural_key)
        else:
            others.append(decision)
    if awarded:
        await claims.award(transaction, awarded)
    if others:
        await claims.settle(
            transaction,
            [decision.document.natural_key for decision in others],
            [_state_of(decision) for decision in others],
            [None if isinstance(decision, Parked) else decision.owner_id for decision in others],
        )


def _state_of(decision: Decision) -> ClaimState:
    match decision:
        case Awarded() | ClawedBack() | UnlinkedReturn() | Exchanged():
            return "awarded"
        case Refused():
            return "refused"
        case Parked():
            return "parked"
