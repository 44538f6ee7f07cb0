"""Saves what was decided: awards and documents, then the ledger, then what the ledger answered, the outbox last."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

import orjson

from services.accrual.domain.award_parts import EarnedPart
from services.accrual.domain.decisions import (
    Awarded,
    ClawedBack,
    Decision,
    Exchanged,
    GivenBack,
    Parked,
    Refused,
    UnlinkedReturn,
)
from services.accrual.domain.earning_windows import day_on
from services.accrual.domain.evaluation import Evaluation
from services.accrual.domain.exchanged_goods import GoodsTaken
from services.accrual.domain.stored_facts import facts_to_store
from services.accrual.programme import Programme
from services.accrual.repository import awards, decided_documents, exchanges, fraud_holds
from services.accrual.repository.awards import AwardRow, StoredAward
from services.accrual.repository.fraud_holds import FraudHold
from services.accrual.repository.stored_documents import compress_all, without_identifier
from services.accrual.use_cases.balance_caps import BalanceMovedError
from services.accrual.use_cases.claw_back_policy import refunded_since, require_points
from services.accrual.use_cases.exchange_messages import exchanged_messages
from services.accrual.use_cases.exchange_sides import (
    Asked,
    AtOnce,
    by_exchange,
    give_back,
    voided_rows,
    with_room,
    without_award,
)
from services.accrual.use_cases.messages import (
    clawed_back_message,
    earned_message,
    pending_message,
    refusal_message,
)
from services.accrual.use_cases.part_commands import (
    PartsOfBatch,
    save_parts,
)
from services.accrual.use_cases.part_messages import part_earned_messages, waiting_messages
from services.accrual.use_cases.save_returns import save_returns, take_back
from services.accrual.use_cases.save_unlinked_returns import (
    claw_back_command,
    save_unlinked_returns,
    unlinked_message,
)
from services.accrual.use_cases.settle_documents import save_waiting_and_refused, settle_claims
from shared import ledger, outbox
from shared.database import Transaction
from shared.database.under_way import in_slices, under_way
from shared.ledger import ClawBack, Earn, HeldSince, LotTerms, Outcome, Posted, Suspend
from shared.outbox import Message


class Moving(NamedTuple):
    """Where points go to and come from: the lots of this batch's awards, and ``earlier`` awards of which is taken."""

    terms: Mapping[bytes, LotTerms]
    earlier: Mapping[bytes, StoredAward]
    parts: PartsOfBatch
    held: Mapping[bytes, FraudHold]
    programme: Programme


async def save_decisions(
    transaction: Transaction,
    decisions: Sequence[Decision],
    programme: Programme,
    held_since: HeldSince,
    also_told: Sequence[Message] = (),
) -> None:
    """Save decisions on documents that this transaction has claimed, their owners being locked; ``also_told`` goes
    out after them.

    Everything stands in one order: what is ours, then the ledger (held for as short as can be), the outbox last.

    Raises:
        BalanceMovedError: a capped balance has risen since it was read. Roll back, and decide again.
        PointsNotThereError: what some documents take back is not there, and may not be owed. Roll back, and say so.
    """
    awarded = [decision for decision in decisions if isinstance(decision, Awarded)]
    clawed_back = [decision for decision in decisions if isinstance(decision, ClawedBack)]
    refused = [decision for decision in decisions if isinstance(decision, Refused)]
    waiting = [decision for decision in decisions if isinstance(decision, Parked)]
    if exchanged := [decision for decision in decisions if isinstance(decision, Exchanged)]:
        awarded += [one.given for one in exchanged if one.given is not None]
        clawed_back += [one.taken for one in exchanged]
        refused += [one.unearned for one in exchanged if one.unearned is not None]
    given_back = [one.given_back for one in exchanged if one.given_back is not None]
    terms = {decision.document.natural_key: lot_terms(decision, programme) for decision in awarded}
    async with under_way(settle_claims(transaction, decisions)):
        rows = await in_slices(lambda one: _award_row(transaction, one, terms, programme), awarded)
    async with under_way(awards.save_awards(transaction, rows)):
        documents = await asyncio.to_thread(_stored_documents, [*awarded, *without_award(exchanged)])
    parts = await save_parts(transaction, [decision for decision in awarded if decision.parts], programme)
    await save_waiting_and_refused(transaction, waiting, refused)
    held = await fraud_holds.find_open(transaction, list(terms)) if terms else {}
    earlier = await take_back(transaction, clawed_back, given_back, terms)
    if given_back:  # under the locks of their awards: a hold that comes now finds what is given back
        held |= await fraud_holds.find_open(transaction, [one.original_key for one in given_back])
    moving = Moving(terms, earlier, parts.beside(earlier.values()), held, programme)
    async with under_way(decided_documents.save(transaction, documents)):
        asked = await in_slices(lambda one: commands_of(one, moving), decisions)
    commands = list(chain.from_iterable(asked))
    async with ledger.posting(transaction, [one.command for one in commands], held_since=held_since) as outcomes:
        require_points([one.decision.document.natural_key for one in commands], outcomes)
        posted = [(one, _taken(outcome)) for one, outcome in zip(commands, outcomes, strict=True)]
        at_once = by_exchange(posted) if exchanged else {}
        told = await in_slices(lambda one: _messages(transaction, *one, moving, at_once), posted)
        messages = list(chain.from_iterable(told))
        messages += [
            refusal_message(transaction, decision.document, decision.owner_id, decision.reason, decision.detail)
            for decision in refused
        ]
    await save_returns(transaction, clawed_back, posted, programme.point_type)
    if unlinked := [decision for decision in decisions if isinstance(decision, UnlinkedReturn)]:
        taken = {one.decision.document.natural_key: outcome for one, outcome in posted}
        await save_unlinked_returns(transaction, unlinked, taken)
    if exchanged:
        await exchanges.void(transaction, voided_rows(exchanged))
    await outbox.record(transaction, [*messages, *also_told] if also_told else messages)


def lot_terms(decision: Awarded, programme: Programme) -> LotTerms:
    """The lot that an award's points go to: by the receipt's day where the programme is, so that a replay agrees."""
    data = decision.document.event.data
    day = day_on(data.occurred_at, programme.zone)
    return _terms(data.partner_id, day, decision.evaluation.rule_set.expires_on(day))


@lru_cache(maxsize=4_096)  # a partner's receipts of one day share their terms
def _terms(partner_id: str, day: date, expires_on: date | None) -> LotTerms:
    return LotTerms(issuer=partner_id, available_from=day, expires_on=expires_on)


def _award_row(
    transaction: Transaction, decision: Awarded, terms_by_key: Mapping[bytes, LotTerms], programme: Programme
) -> AwardRow:
    document, owner_id, evaluation, parts = decision
    key, terms = document.natural_key, terms_by_key[document.natural_key]
    return AwardRow(  # in the order of its fields: by name it takes twice as long, and there is one for every receipt
        key,
        owner_id,
        terms.issuer,
        programme.point_type,
        evaluation.points,
        0,
        terms.available_from,
        terms.expires_on,
        evaluation.rule_set_version,
        stored_decision(evaluation),
        transaction.now,
        evaluation.base.mapping_version,
        len(parts) or None,
    )


def _stored_documents(awarded: Sequence[Awarded | Exchanged]) -> list[tuple[bytes, bytes]]:
    """Natural keys and documents. Compressing needs no turn of this process, so it goes to another core."""
    keys = [decision.document.natural_key for decision in awarded]
    stored = compress_all([without_identifier(decision.document.body) for decision in awarded])
    return list(zip(keys, stored, strict=True))


def stored_decision(evaluation: Evaluation) -> bytes:
    """What was applied, in a few bytes: the full trace is derived again from the document and the frozen version."""
    applied = [(rule_id, points) for rule_id, _, points, _, _ in evaluation.applied]
    said: dict[str, object] = {"base": evaluation.base.total_minor, "applied": applied}
    goods = evaluation.receipt.purchase
    if type(goods) is GoodsTaken:
        said["paid"] = {tender.kind: tender.amount_minor for tender in goods.tenders}
    if evaluation.rule_set.needs_facts:
        said["facts"] = facts_to_store(evaluation.facts, evaluation.rule_set.needs)
    return orjson.dumps(said)


def commands_of(decision: Decision, moving: Moving) -> list[Asked]:
    """What the ledger is asked for one decision. Nothing to move is nothing to ask."""
    if type(decision) is Exchanged:
        return _commands_at_once(decision, moving)
    key, point_type = decision.document.natural_key, moving.programme.point_type
    match decision:
        case Awarded(parts=parts) if parts:
            asked = moving.parts.earn_commands(decision, is_held=key in moving.held)
            return [Asked(decision, command, part) for command, part in asked]
        case Awarded(owner_id=owner_id, evaluation=evaluation) if evaluation.points:
            points, lot = evaluation.points, moving.terms[key]
            earn = Asked(decision, Earn(owner_id, point_type, key, points, lot, evaluation.rule_set.balance_max))
            if key not in moving.held:
                return [earn]
            # Fraud's hold came first: the award goes to pending at once.
            return [earn, Asked(decision, Suspend(owner_id, point_type, key, points, lot, key))]
        case ClawedBack(parts=parts) if parts:
            of_parts = moving.parts.claw_back_commands(decision)
            return [Asked(decision, command, part) for command, part in of_parts]
        case ClawedBack(owner_id=owner_id, original_key=original_key, points=points, policy=policy) if points:
            lot = moving.terms.get(original_key) or moving.earlier[original_key].terms
            since = refunded_since(decision)
            terms = (policy, since, decision.forgiving, decision.withheld)
            back = ClawBack(owner_id, point_type, key, points, lot, original_key, *terms)
            return [Asked(decision, back)]
        case UnlinkedReturn(points=points) if points:
            return [Asked(decision, claw_back_command(decision, point_type, moving.programme.zone))]
        case _:
            return []


def _commands_at_once(decision: Exchanged, moving: Moving) -> list[Asked]:
    """What the ledger is asked for both sides: what is given comes first, so that nobody owes what it covers."""
    given, given_back = decision.given, decision.given_back
    asked = with_room(commands_of(given, moving), decision.room) if given is not None else []
    if given_back is not None and given_back.parts:
        is_held = given_back.original_key in moving.held
        back = moving.parts.give_back_commands(given_back, is_held=is_held)
        asked += [Asked(given_back, command, part) for command, part in back]
    elif given_back is not None:
        award, hold = moving.earlier[given_back.original_key], moving.held.get(given_back.original_key)
        asked += give_back(given_back, award, is_held=hold is not None)
    asked += commands_of(decision.taken, moving)
    return [one._replace(exchange=decision) for one in asked]


def _taken(outcome: Outcome) -> Posted:
    if not isinstance(outcome, Posted):
        raise TypeError(f"the ledger refused {outcome.command}: earning and taking back are never refused")
    if outcome.trimmed:
        raise BalanceMovedError
    return outcome


def _messages(transaction: Transaction, asked: Asked, posted: Posted, moving: Moving, at_once: AtOnce) -> list[Message]:
    decision, command, part, exchange = asked
    number = None if part is None else part.number
    if exchange is not None:
        return _messages_at_once(transaction, asked, exchange, moving, at_once)
    match decision:
        case Awarded() if part is None and type(command) is Earn:  # nearly all are
            return [earned_message(transaction, decision, posted)]
        case Awarded() if isinstance(command, Suspend):
            hold = moving.held[decision.document.natural_key]
            return [pending_message(transaction, hold, posted, decision.document.event.traceparent, number)]
        case Awarded() if isinstance(part, EarnedPart):
            return part_earned_messages(transaction, decision, part, posted, moving.programme)
        case Awarded():
            raise TypeError(f"{command} is nothing that an award of one lot asks for")
        case ClawedBack():
            return [clawed_back_message(transaction, decision, posted, number)]
        case UnlinkedReturn():
            return [unlinked_message(transaction, decision, posted)]
        case GivenBack():
            raise TypeError("what is given back belongs to the void of an exchange")


def _messages_at_once(
    transaction: Transaction, asked: Asked, exchange: Exchanged, moving: Moving, at_once: AtOnce
) -> list[Message]:
    """Both sides of an exchange are told at once, behind its last move; what waits of it is told besides."""
    moved = at_once[exchange.document.natural_key]
    if asked is not moved[-1][0]:
        return []
    told = exchanged_messages(transaction, exchange, moved)
    for one, outcome in moved:
        number = one.part.number if one.part is not None else None
        if isinstance(one.command, Suspend) and one.award_key is not None:
            hold = moving.held[one.award_key]
            told.append(pending_message(transaction, hold, outcome, exchange.document.event.traceparent, number))
        elif isinstance(one.decision, Awarded) and isinstance(one.part, EarnedPart):
            told += waiting_messages(transaction, one.decision, one.part, outcome, moving.programme)
    return told
