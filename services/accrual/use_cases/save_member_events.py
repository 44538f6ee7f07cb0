"""Saves member events that were decided: awards and their parts, then the ledger, then the events, the outbox last."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple
from uuid import UUID

from services.accrual.domain.award_parts import EarnedPart
from services.accrual.domain.decisions import Awarded
from services.accrual.domain.event_awards import write_decision
from services.accrual.domain.member_events import MemberEvent
from services.accrual.programme import Programme
from services.accrual.repository import awards, member_events
from services.accrual.repository.awards import AwardRow
from services.accrual.use_cases.balance_caps import BalanceMovedError
from services.accrual.use_cases.judge_member_events import JudgedEvents
from services.accrual.use_cases.lock_owners import Owner
from services.accrual.use_cases.member_event_messages import recorded_message
from services.accrual.use_cases.part_commands import save_parts
from shared import ledger, outbox
from shared.database import Transaction
from shared.ledger import Command, Earn, Posted
from shared.ledger.terms import PROGRAMME


class _Asked(NamedTuple):
    """What the ledger is asked for an event, and of which part of what rules gave for it."""

    event_id: UUID
    command: Command
    part: EarnedPart | None = None


async def save_member_events(
    transaction: Transaction,
    new: Sequence[MemberEvent],
    owners: Mapping[UUID, Owner],
    judged: JudgedEvents,
    programme: Programme,
) -> dict[UUID, MemberEvent]:
    """Post what new events give, keep them and tell of them; as they stand then, by id. Their owners are locked.

    Raises:
        BalanceMovedError: a capped balance has risen since it was read. Roll back, and decide again.
    """
    kept = [settled(event, judged) for event in new]
    if not kept:
        return {}
    awarded = [judged.awards[event.event_id] for event in kept if event.event_id in judged.awards]
    await awards.save_awards(transaction, [_award_row(transaction, one, programme) for one in awarded])
    parts = await save_parts(transaction, [one for one in awarded if one.parts], programme)
    asked: list[_Asked] = []
    for event in kept:
        award = judged.awards.get(event.event_id)
        if award is not None:
            asked += [_Asked(event.event_id, *one) for one in parts.earn_commands(award, is_held=False)]
        elif event.points:
            owner_id = owners[event.member_id].owner_id
            earn = Earn(owner_id, event.point_type, event.award, event.points, event.terms)
            asked.append(_Asked(event.event_id, earn))
    outcomes = await ledger.post(transaction, [one.command for one in asked])
    posted: dict[UUID, list[tuple[EarnedPart | None, Posted]]] = {}
    for one, outcome in zip(asked, outcomes, strict=True):
        if not isinstance(outcome, Posted):
            raise TypeError(f"the ledger refused {outcome.command}: earning is never refused")
        if outcome.trimmed:
            raise BalanceMovedError
        posted.setdefault(one.event_id, []).append((one.part, outcome))
    await member_events.insert(transaction, kept)
    messages = [
        recorded_message(
            transaction,
            event,
            owners[event.member_id].owner_id,
            posted.get(event.event_id, []),
            judged.awards.get(event.event_id),
        )
        for event in kept
    ]
    await outbox.record(transaction, [*messages, *judged.told])
    return {event.event_id: event for event in kept}


def settled(event: MemberEvent, judged: JudgedEvents) -> MemberEvent:
    """The event with what the rules made of it, where they decided."""
    refusal, award = judged.refusals.get(event.event_id), judged.awards.get(event.event_id)
    if refusal is not None:
        return replace(event, state="refused", refusal=refusal)
    if award is None:
        return event
    first = next((part.key.terms for part in award.parts if part.key.point_type is None), None)
    if first is None:
        return event
    return replace(
        event,
        points=award.evaluation.points,
        basis=first.basis,
        available_from=first.available_from,
        expires_on=first.expires_on,
    )


def _award_row(transaction: Transaction, awarded: Awarded, programme: Programme) -> AwardRow:
    document, owner_id, evaluation, parts = awarded
    return AwardRow(
        natural_key=document.natural_key,
        owner_id=owner_id,
        partner_id=PROGRAMME,
        point_type=programme.point_type,
        points=evaluation.points,
        taken_back=0,
        available_from=document.event.data.occurred_at.astimezone(programme.zone).date(),
        expires_on=None,
        rule_set_version=evaluation.rule_set_version,
        decision=write_decision(evaluation),
        decided_at=transaction.now,
        mapping_version=0,
        parts=len(parts) or None,
    )
