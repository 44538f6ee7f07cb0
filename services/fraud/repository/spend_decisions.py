"""Asks and what was decided of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

import asyncpg
import orjson

from services.fraud.domain.spending.asks import ASKS_LOADED_MAX, Ask, EarlierAsk, Place, Verdict
from services.fraud.domain.spending.decide import SpendDecision, SpendOutcome
from shared.database import Transaction
from shared.database.engine import BUSINESS_TIME, Opening

# An ask meets the others of its member, and a merge of that member, here. A lock by id and no row: asks come for
# members of whom fraud has no other row. The caller gives the ids in their order.
_LOCK = """
    select pg_advisory_xact_lock(hashtextextended(current_schema() || ' spending ' || member_id::text, 0))
    from unnest($1::uuid[]) as wanted (member_id)
"""
# The first statement of a decision: it begins with whoever answers for the member, whom it locks. What follows looks
# rows up by their keys: planning it anew for each ask costs more than it could save.
_OPEN = f"""
    select {BUSINESS_TIME} as now, owner.member_id as owner_id,
        pg_advisory_xact_lock(hashtextextended(current_schema() || ' spending ' || owner.member_id::text, 0)),
        set_config('plan_cache_mode', 'force_generic_plan', true)
    from (
        select coalesce((select merged_into from member_windows where member_id = $1::uuid), $1::uuid) as member_id
    ) as owner
"""
_COLUMNS = """
    decision_id, kind, member_id, partner_id, store_id, point_type, points, verdict, rule_set_version, outcomes::text,
    asked_at, decided_at, went_unasked_at, went_at, went_by
"""
_FIND = f"select {_COLUMNS} from spend_decisions where decision_id = $1"
_LOAD_EARLIER = """
    select points, partner_id, store_id, asked_at
    from spend_decisions
    where member_id = $1 and asked_at > $2 and decision_id <> $3
    order by asked_at desc
    limit $4
"""
_SAVE = """
    insert into spend_decisions (decision_id, kind, member_id, partner_id, store_id, point_type, points, verdict,
        rule_set_version, outcomes, asked_at, decided_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    on conflict (decision_id) do nothing
    returning decision_id
"""
_MARK_UNASKED = """
    update spend_decisions set went_unasked_at = $2 where decision_id = $1 and went_unasked_at is null
    returning decision_id
"""
# Once: what is held or given under one decision is one thing, however often it is told.
_NOTE_WENT = """
    update spend_decisions as kept set went_at = told.went_at, went_by = told.went_by
    from (
        select distinct on (decision_id) decision_id, went_at, went_by
        from unnest($1::uuid[], $2::timestamptz[], $3::text[]) as went (decision_id, went_at, went_by)
        order by decision_id, went_at
    ) as told
    where kept.decision_id = told.decision_id and kept.went_at is null
"""
_LOAD_OF_MEMBER = f"""
    select {_COLUMNS} from spend_decisions
    where member_id = $1 and ($2::timestamptz is null or (asked_at, decision_id) < ($2, $3))
    order by asked_at desc, decision_id desc
    limit $4
"""

WentBy: TypeAlias = Literal["fraud", "ceiling", "code", "pin"]


class Went(NamedTuple):
    """The points of an ask were let go: held at a till, or given. ``by``: whose word it was, or what confirmed it."""

    decision_id: UUID
    at: datetime
    by: WentBy


@dataclass(frozen=True, slots=True)
class StoredSpendDecision:
    """An ask with its decision. ``went_unasked_at``: it was heard then that the points left without our answer;
    ``went_at``: when they left, if they did, ``went_by`` whose word, or by what the member confirmed it."""

    ask: Ask
    decision: SpendDecision
    rule_set_version: int
    asked_at: datetime
    decided_at: datetime
    went_unasked_at: datetime | None = None
    went_at: datetime | None = None
    went_by: WentBy | None = None


def opening(member_id: UUID) -> Opening:
    """What a transaction begins with that decides an ask of this member: ``lock``, of whoever answers for it, which is
    the row's ``owner_id``."""
    return Opening(_OPEN, (member_id,))


async def lock(transaction: Transaction, member_ids: Collection[UUID]) -> None:
    """Lock these members' spending to the commit, in the order of their ids."""
    await transaction.raw.execute(_LOCK, sorted(member_ids))


async def find(transaction: Transaction, decision_id: UUID) -> StoredSpendDecision | None:
    """What was decided of an ask; None where it never was asked."""
    row = await transaction.raw.fetchrow(_FIND, decision_id)
    return None if row is None else _stored(row)


async def load_earlier(transaction: Transaction, ask: Ask, since: datetime) -> list[EarlierAsk]:
    """What else was asked of the member after ``since``, newest first; at most ``ASKS_LOADED_MAX``."""
    rows = await transaction.raw.fetch(_LOAD_EARLIER, ask.member_id, since, ask.decision_id, ASKS_LOADED_MAX)
    return [EarlierAsk(row["points"], Place(row["partner_id"], row["store_id"]), row["asked_at"]) for row in rows]


async def save(transaction: Transaction, stored: StoredSpendDecision) -> bool:
    """Keep a decision; False where the id stands for another one already."""
    ask, decision = stored.ask, stored.decision
    saved = await transaction.raw.fetchval(
        _SAVE,
        ask.decision_id,
        ask.kind,
        ask.member_id,
        ask.place.partner_id,
        ask.place.store_id,
        ask.point_type,
        ask.points,
        decision.verdict.value,
        stored.rule_set_version,
        orjson.dumps({one.rule_code: [one.verdict, one.observed] for one in decision.outcomes}).decode(),
        stored.asked_at,
        stored.decided_at,
    )
    return saved is not None


async def mark_unasked(transaction: Transaction, decision_id: UUID) -> bool:
    """Note that the points left without our answer; False where that is known."""
    return await transaction.raw.fetchval(_MARK_UNASKED, decision_id, transaction.now) is not None


async def note_went(transaction: Transaction, went: Sequence[Went]) -> None:
    """Note which points were let go; what is known, and what nobody asked about, stays as it is."""
    await transaction.raw.execute(
        _NOTE_WENT, [one.decision_id for one in went], [one.at for one in went], [one.by for one in went]
    )


async def load_of_member(
    transaction: Transaction, member_id: UUID, before: tuple[datetime, UUID] | None, rows_max: int
) -> list[StoredSpendDecision]:
    """A member's decisions, the newest ask first."""
    asked_at, decision_id = before or (None, None)
    rows = await transaction.raw.fetch(_LOAD_OF_MEMBER, member_id, asked_at, decision_id, rows_max)
    return [_stored(row) for row in rows]


def _stored(row: asyncpg.Record) -> StoredSpendDecision:
    outcomes = tuple(
        SpendOutcome(code, Verdict(verdict), tuple(observed))
        for code, (verdict, observed) in orjson.loads(row["outcomes"]).items()
    )
    place = Place(row["partner_id"], row["store_id"])
    return StoredSpendDecision(
        Ask(row["decision_id"], row["kind"], row["member_id"], row["point_type"], row["points"], place),
        SpendDecision(Verdict(row["verdict"]), outcomes),
        row["rule_set_version"],
        row["asked_at"],
        row["decided_at"],
        row["went_unasked_at"],
        row["went_at"],
        row["went_by"],
    )
