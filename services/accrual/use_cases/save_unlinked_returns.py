"""Saves what became of returns that name no purchase, and finds the purchases that people have said of them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo

from services.accrual.domain.decisions import Document, Parked, UnlinkedReturn
from services.accrual.domain.unlinked_cases import linked
from services.accrual.domain.unlinked_returns import UNLINKED
from services.accrual.repository import claims, unlinked_returns
from services.accrual.repository.unlinked_returns import UnlinkedRow
from services.accrual.use_cases.messages import SOURCE, balance_of
from shared.database import Transaction
from shared.events.catalogue import POINTS
from shared.events.points import ClawBackData, PointsClawedBack
from shared.events.purchases import ReturnRecorded
from shared.ids import new_id
from shared.ledger import ClawBack, LotTerms, Posted
from shared.outbox import Message
from shared.telemetry.trace_context import child_traceparent


async def with_links(transaction: Transaction, documents: list[Document]) -> list[Document]:
    """The documents, of which those that people have linked to a purchase name it. Their claims are held.

    The purchase's claim is named, so that both meet there. No statement where no return lacks its purchase.
    """
    keys = [one.natural_key for one in documents if type(one.event) is ReturnRecorded and one.original_key is None]
    if not keys or not (found := await unlinked_returns.find_links(transaction, keys)):
        return documents
    links = {key: case.original_key for key, case in found.items() if case.original_key is not None}
    await claims.name(transaction, links.values())
    return [
        one._replace(original_key=original, event=linked(one.event, original, found[one.natural_key].lines))
        if isinstance(one.event, ReturnRecorded) and (original := links.get(one.natural_key)) is not None
        else one
        for one in documents
    ]


def claw_back_command(decision: UnlinkedReturn, point_type: str, zone: tzinfo) -> ClawBack:
    """Take the points of whatever the member has, first expiring first: nobody knows from which lot.

    The terms are those of no lot, on purpose; the issuer is the partner that took the goods back.
    """
    data, key = decision.document.event.data, decision.document.natural_key
    terms = LotTerms(data.partner_id, data.occurred_at.astimezone(zone).date(), None, UNLINKED)
    return ClawBack(decision.owner_id, point_type, key, decision.points, terms, key, decision.policy)


def unlinked_message(transaction: Transaction, decision: UnlinkedReturn, posted: Posted) -> Message:
    """An unlinked return took points back: it names itself where others name their purchase."""
    event = decision.document.event
    told = PointsClawedBack(
        id=new_id(),
        source=SOURCE,
        subject=str(decision.owner_id),
        time=transaction.now,
        traceparent=child_traceparent(event.traceparent),
        data=ClawBackData(
            member_id=decision.owner_id,
            receipt_id=event.data.receipt_id,
            original_receipt_id=event.data.receipt_id,
            partner_id=event.data.partner_id,
            point_type=posted.command.point_type,
            points=posted.points,
            became_debt=posted.debt_added - posted.debt_cleared,
            clipped=posted.shortfall,
            cause=UNLINKED,
            occurred_at=event.data.occurred_at,
            balance=balance_of(posted.balance),
        ),
    )
    return Message.of(told, POINTS.topic, str(decision.owner_id))


async def save_unlinked_returns(
    transaction: Transaction, decided: Sequence[UnlinkedReturn], posted: Mapping[bytes, Posted]
) -> None:
    """Keep what the rules made of them; ``posted`` is what the ledger took, by key."""
    rows = []
    for one in decided:
        row = _row(one.document, one)._replace(
            state=one.outcome, rule_set_version=one.rule_set_version, mapping_version=one.mapping_version
        )
        if (taken := posted.get(one.document.natural_key)) is not None:
            owed = taken.debt_added - taken.debt_cleared
            row = row._replace(points=taken.points, became_debt=owed, clipped=taken.shortfall)
        rows.append(row)
    await unlinked_returns.save(transaction, rows)


async def save_waiting_for_people(transaction: Transaction, waiting: Iterable[Parked]) -> None:
    """Keep those that people are to look at."""
    await unlinked_returns.save(transaction, [_row(one.document, one) for one in waiting if one.missing == "person"])


def _row(document: Document, decision: UnlinkedReturn | Parked) -> UnlinkedRow:
    data = document.event.data
    return UnlinkedRow(
        natural_key=document.natural_key,
        partner_id=data.partner_id,
        owner_id=decision.owner_id,
        occurred_at=data.occurred_at,
        state="waiting",
        rule_set_version=None,
        mapping_version=0,
        points=0,
        became_debt=0,
        clipped=0,
        event=document.body,
    )
