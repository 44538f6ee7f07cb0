"""Releases points that waited for their day, a page of parts in a transaction; what waited in vain lapses."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

from services.accrual.domain.event_awards import read_decision
from services.accrual.domain.tiers.counting import Counted
from services.accrual.domain.tiers.periods import day_of
from services.accrual.domain.tiers.qualification import Amounts
from services.accrual.domain.tiers.scheme import TierSchemeHistory
from services.accrual.repository import award_parts, awards, decided_documents, due_parts, fraud_holds
from services.accrual.repository.award_parts import StoredPart
from services.accrual.repository.awards import StoredAward
from services.accrual.use_cases.count_for_tiers import count
from services.accrual.use_cases.lock_owners import lock_owners
from services.accrual.use_cases.member_event_messages import settled_message
from services.accrual.use_cases.messages import released_message
from services.accrual.use_cases.part_commands import lapsed, released
from services.accrual.use_cases.part_messages import WAITS, lapsed_message
from shared import ledger, outbox
from shared.database import Transaction
from shared.events.purchases import PurchaseEvent
from shared.ledger import ClawBack, Command, HeldSince, Posted, Release
from shared.ledger.terms import PROGRAMME
from shared.outbox import Message

NO_SCHEMES = TierSchemeHistory()


async def release_page(
    transaction: Transaction, parts_max: int, held_since: HeldSince, schemes: TierSchemeHistory = NO_SCHEMES
) -> int:
    """Settle the next parts whose day has come, those of earlier days first; how many were found.

    Members are locked in key order, then the awards, and the parts are read again under these locks: what a return has
    taken meanwhile is not released, and a page that comes twice settles nothing twice. Under an open hold of fraud's a
    part is only noted as due: the hold's release gives it free. A receipt that was moved to another member may
    meanwhile have other parts under its numbers, and is left to the next page. What lapses counts towards no tier any
    more.
    """
    today = transaction.today
    if today is None:
        return 0
    due = await due_parts.find_due(transaction, today, parts_max)
    if not due:
        return 0
    locked = await lock_owners(transaction, {part.owner_id for part in due})
    held_since.locked()
    wanted = {(part.natural_key, part.number) for part in due}
    stored = await awards.lock_awards(transaction, {part.natural_key for part in due})
    chosen = [
        (award, part)
        for award in stored.values()
        if award.owner_id in locked
        for part in award.parts
        if (part.natural_key, part.number) in wanted and part.state == "pending" and _is_due(part, today)
    ]
    told = await _uncount_lapsing(transaction, chosen, today, schemes)
    await settle_parts(transaction, chosen, today, held_since, WAITS, told)
    return len(due)


async def settle_parts(
    transaction: Transaction,
    chosen: Sequence[tuple[StoredAward, StoredPart]],
    today: date,
    held_since: HeldSince | None,
    reason: str,
    also_told: Sequence[Message] = (),
) -> list[StoredPart]:
    """Release these parts, which wait and are locked with their awards, or let them lapse that have waited in vain; the
    parts as they stand then. ``reason`` is what is told of a release; ``also_told`` goes out after it.
    """
    held = await fraud_holds.find_open(transaction, {award.natural_key for award, _ in chosen}) if chosen else {}
    settled = [_settled(award, part, today, held) for award, part in chosen]
    if not settled:
        return []
    await award_parts.settle(transaction, [part for _, part in settled])
    moving = [
        (command, award, part)
        for (commands, part), (award, _) in zip(settled, chosen, strict=True)
        for command in commands
    ]
    outcomes = await ledger.post(transaction, [command for command, _, _ in moving], held_since=held_since)
    messages = []
    for (_, award, part), outcome in zip(moving, outcomes, strict=True):
        if not isinstance(outcome, Posted):
            raise TypeError(f"the ledger refused {outcome.command}: releasing and taking back are never refused")
        if outcome.points or isinstance(outcome.command, ClawBack):
            messages.append(_message(transaction, award, part, reason, outcome))
    await outbox.record(transaction, [*messages, *also_told])
    return [part for _, part in settled]


def _message(transaction: Transaction, award: StoredAward, part: StoredPart, reason: str, posted: Posted) -> Message:
    command, lapses = posted.command, isinstance(posted.command, ClawBack)
    if award.partner_id == PROGRAMME:
        waited_for = (part.wait.event if part.wait is not None else None) or WAITS
        if lapses:
            return settled_message(transaction, award, part, "lapsed", waited_for, posted)
        return settled_message(transaction, award, part, "released", reason, posted)
    if lapses:
        return lapsed_message(transaction, award.partner_id, part, posted)
    into = command.into if isinstance(command, Release) and command.into is not None else part.lot
    return released_message(transaction, part.natural_key, reason, posted, part.number, into.expires_on)


def _is_due(part: StoredPart, today: date) -> bool:
    return part.wait is not None and part.wait.until <= today


def _is_over(part: StoredPart, today: date) -> bool:
    """Whether it has waited in vain."""
    return part.wait is not None and part.wait.lapses and part.wait.until <= today


async def _uncount_lapsing(
    transaction: Transaction,
    chosen: Sequence[tuple[StoredAward, StoredPart]],
    today: date,
    schemes: TierSchemeHistory,
) -> list[Message]:
    """Take what will lapse off the days on which it counted towards tiers, as a return does."""
    lapsing = [(award, part) for award, part in chosen if _is_over(part, today) and part.points > part.taken_back]
    if schemes.is_empty or not lapsing:
        return []
    documents = await decided_documents.load(transaction, {award.natural_key for award, _ in lapsing})
    owners = await lock_owners(transaction, {award.owner_id for award, _ in lapsing})
    counted = []
    for award, part in lapsing:
        occurred_at = _occurred_at(award, documents)
        scheme = None if occurred_at is None else schemes.at(occurred_at)
        owner = owners[award.owner_id]
        if occurred_at is None or scheme is None or owner.status == "erased":
            continue
        if part.point_type == (scheme.points_of or award.point_type):
            day = day_of(occurred_at, scheme.days_zone)
            counted.append(Counted(owner.owner_id, day, Amounts(part.taken_back - part.points, 0, 0)))
    return await count(transaction, counted, schemes)


def _occurred_at(award: StoredAward, documents: Mapping[bytes, PurchaseEvent]) -> datetime | None:
    """When what earned it happened; None where that is not kept any more."""
    if award.partner_id == PROGRAMME:
        return read_decision(award.decision).occurred_at
    document = documents.get(award.natural_key)
    return None if document is None else document.data.occurred_at


def _settled(
    award: StoredAward, part: StoredPart, today: date, held: Collection[bytes]
) -> tuple[list[Command], StoredPart]:
    """What is asked of the ledger for a part that waits no longer, and the part as it stands then."""
    if _is_over(part, today):
        return lapsed(award, part, today)
    if award.natural_key in held:
        return [], award_parts.held(part)
    command, part = released(award, part, today)
    return [command], part
