"""Decisions: one row a receipt, for ever."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import orjson

from services.fraud.domain.outcomes import Action, Decision, Outcome
from shared.database import Transaction

# Those that were decided, and whose those are that have been moved, which may be heard of before the purchase.
_FIND_KNOWN = """
    select receipt_key, decisions.receipt_key is not null as is_decided, receipt_moves.member_id, receipt_moves.number
    from unnest($1::bytea[]) as wanted (receipt_key)
        left join decisions using (receipt_key)
        left join receipt_moves using (receipt_key)
    where decisions.receipt_key is not null or receipt_moves.receipt_key is not null
"""

_SAVE = """
    insert into decisions (receipt_key, member_id, action, rule_set_version, outcomes, moves, decided_at)
    select receipt_key, member_id, action, $6, outcomes::jsonb, moves, $7
    from unnest($1::bytea[], $2::uuid[], $3::text[], $4::text[], $5::bigint[])
        as decided (receipt_key, member_id, action, outcomes, moves)
    order by receipt_key  -- two batches that insert in different orders would deadlock
    on conflict do nothing
    returning 1
"""

# A decision is only ever raised: a hold stays one, and rules that were not judged again keep their outcomes.
_RAISE = """
    update decisions as decision
    set action = case when decision.action = 'hold' then 'hold' else raised.action end,
        outcomes = decision.outcomes || raised.outcomes::jsonb, raised_by = raised.raised_by, raised_at = $5
    from unnest($1::bytea[], $2::text[], $3::text[], $4::bytea[]) as raised (receipt_key, action, outcomes, raised_by)
    where decision.receipt_key = raised.receipt_key
"""


# What was decided while it was another member's is kept beside.
_KEEP_FORMER = """
    insert into former_decisions (receipt_key, moves, member_id, action, rule_set_version, outcomes, decided_at,
        raised_by, raised_at)
    select receipt_key, moves, member_id, action, rule_set_version, outcomes, decided_at, raised_by, raised_at
    from decisions
    where receipt_key = any($1::bytea[])
"""
_REPLACE = """
    update decisions as decision
    set member_id = anew.member_id, action = anew.action, rule_set_version = $6, outcomes = anew.outcomes::jsonb,
        moves = anew.moves, decided_at = $7, raised_by = null, raised_at = null
    from unnest($1::bytea[], $2::uuid[], $3::text[], $4::text[], $5::bigint[])
        as anew (receipt_key, member_id, action, outcomes, moves)
    where decision.receipt_key = anew.receipt_key
"""


class NewOwner(NamedTuple):
    """Whose a receipt is by the last of its moves, the ``number``-th."""

    member_id: UUID
    number: int


class DecidedElsewhereError(Exception):
    """Another transaction decided one of these receipts meanwhile: roll back and start again, which will see it."""


async def find_known(transaction: Transaction, keys: Sequence[bytes]) -> tuple[set[bytes], dict[bytes, NewOwner]]:
    """Which of these receipts have been decided, and who has those that were moved, as far as is committed."""
    rows = await transaction.raw.fetch(_FIND_KNOWN, keys)
    moved = {row["receipt_key"]: NewOwner(row["member_id"], row["number"]) for row in rows if row["number"]}
    return {row["receipt_key"] for row in rows if row["is_decided"]}, moved


async def save(transaction: Transaction, decisions: Sequence[Decision], rule_set_version: int) -> None:
    """Record first decisions on distinct receipts.

    Raises:
        DecidedElsewhereError: one of them has been decided by somebody else; nothing of this transaction may stay.
    """
    rows = await transaction.raw.fetch(_SAVE, *_columns(decisions), rule_set_version, transaction.now)
    if len(rows) != len(decisions):
        raise DecidedElsewhereError(f"{len(decisions) - len(rows)} receipts were decided meanwhile")


async def replace(transaction: Transaction, decisions: Sequence[Decision], rule_set_version: int) -> None:
    """Put what was decided of distinct receipts for their new members in the place of what was; that is kept, too."""
    if decisions:
        await transaction.raw.execute(_KEEP_FORMER, [decision.receipt_key for decision in decisions])
        await transaction.raw.execute(_REPLACE, *_columns(decisions), rule_set_version, transaction.now)


async def save_raised(transaction: Transaction, raised: Sequence[Decision], rule_set_version: int) -> None:
    """Raise decisions that are recorded: add the new outcomes and the weightier action.

    The new outcomes bear the version of the rules that made them: the decision may be of an older one.
    """
    if not raised:
        return
    merged: dict[bytes, Decision] = {}
    for decision in raised:  # one batch may raise a receipt twice, each time by another rule
        earlier = merged.get(decision.receipt_key)
        merged[decision.receipt_key] = decision if earlier is None else _merged(earlier, decision)
    await transaction.raw.execute(
        _RAISE,
        list(merged),
        [decision.action.value for decision in merged.values()],
        [_recorded(decision.outcomes, rule_set_version) for decision in merged.values()],
        [decision.caused_by for decision in merged.values()],
        transaction.now,
    )


def _columns(decisions: Sequence[Decision]) -> tuple[list[object], ...]:
    return (
        [decision.receipt_key for decision in decisions],
        [decision.member_id for decision in decisions],
        [decision.action.value for decision in decisions],
        [_recorded(decision.outcomes) for decision in decisions],
        [decision.moves for decision in decisions],
    )


def _merged(earlier: Decision, later: Decision) -> Decision:
    action = Action.HOLD if earlier.action is Action.HOLD else later.action
    return later._replace(action=action, outcomes=(*earlier.outcomes, *later.outcomes))


def _recorded(outcomes: Sequence[Outcome], *raised_by_version: int) -> str:
    recorded = {outcome.rule_code: [outcome.result, outcome.observed, *raised_by_version] for outcome in outcomes}
    return orjson.dumps(recorded).decode()
