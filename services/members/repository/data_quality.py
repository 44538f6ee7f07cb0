"""Every statement on data quality. Nothing here reads a value: all is judged from times.

The score in SQL and ``domain.data_quality`` say the same; a test holds them together.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import asyncpg

from services.members.domain.data_quality import (
    FIELDS,
    SCORES_A_BUCKET,
    Facts,
    FieldCheck,
    FieldFacts,
    QualityField,
    QualityRules,
)
from shared.database import Transaction

_FACTS = ", ".join(f"{field}_at, {field}_verified_at, {field}_invalid_at" for field in FIELDS)

# $1 how fresh is fresh; $2 to $5 the aspects' weights; $6 the most there is; $7 and so on the fields' weights; then the
# stretch of members.
_FIRST_FIELD = 7
_POINTS = " + ".join(
    f"""
    case when {field}_at is null then 0 else ${number}::bigint * (
        $2::bigint
        + case when {field}_verified_at is null then 0 else $3::bigint end
        + case when greatest({field}_at, {field}_verified_at) >= $1::timestamptz then $4::bigint else 0 end
        + case when {field}_invalid_at is null then $5::bigint else 0 end
    ) end"""
    for number, field in enumerate(FIELDS, start=_FIRST_FIELD)
)
_AFTER = _FIRST_FIELD + len(FIELDS)
_SCORED = f"""
    select member_id, (100 * ({_POINTS}) / $6::bigint)::integer as score, {_FACTS}
    from members
        left join persons using (member_id)
    where status in ('active', 'suspended', 'earn_only', 'spend_locked')
        and member_id > ${_AFTER}::uuid
        and member_id <= ${_AFTER + 1}::uuid
"""
_POSITION = _AFTER + 2
# A statement over all members would outlive a transaction once there are a million.
STRETCH_MEMBERS_MAX = 50_000
FIRST_ID, LAST_ID = UUID(int=0), UUID(int=2**128 - 1)
FIND_END = "select member_id from members where member_id > $1 order by member_id offset $2 limit 1"

_COUNTS = ", ".join(
    f"""
    count(*) filter (where {field}_at is null) as {field}_fill,
    count(*) filter (where {field}_invalid_at is not null) as {field}_correct,
    count(*) filter (where {field}_at is not null and {field}_verified_at is null) as {field}_verify,
    count(*) filter (where greatest({field}_at, {field}_verified_at) < $1) as {field}_refresh"""
    for field in FIELDS
)
# The last bucket takes 100 as well.
REPORT = f"""
    select least(score / {SCORES_A_BUCKET}, {100 // SCORES_A_BUCKET - 1}) as bucket, count(*) as members, {_COUNTS}
    from ({_SCORED}) as scored
    group by bucket
"""
QUEUE = f"""
    select member_id, score, {_FACTS}
    from ({_SCORED}) as scored
    where score < 100
        and (${_POSITION}::integer is null or (score, member_id) > (${_POSITION}, ${_POSITION + 1}::uuid))
    order by score, member_id
    limit ${_POSITION + 2}
"""

FIND_FACTS = f"""
    select {_FACTS} from members left join persons using (member_id) where member_id = $1
"""
NOTE_PERSON = (
    "update persons set "
    + ", ".join(
        f"""
    {field}_at = case when '{field}' = any($3::text[]) then $4 when '{field}' = any($2::text[]) then {field}_at end,
    {field}_verified_at = case
        when '{field}' = any($2::text[]) and not '{field}' = any($3::text[]) then {field}_verified_at end,
    {field}_invalid_at = case
        when '{field}' = any($2::text[]) and not '{field}' = any($3::text[]) then {field}_invalid_at end"""
        for field in FIELDS
    )
    + " where member_id = $1"
)
NOTE_CHECK: dict[QualityField, str] = {
    field: f"""
        update persons
        set {field}_verified_at = case when $2 = 'verified' then $3::timestamptz end,
            {field}_invalid_at = case when $2 = 'invalid' then $3::timestamptz end
        where member_id = $1
    """
    for field in FIELDS
}
INSERT_CHECK = """
    insert into field_checks (check_id, member_id, field, outcome, source, checked_at, recorded_at, recorded_by)
    values ($1, $2, $3, $4, $5, $6, $7, $8)
"""
FIND_RULES = "select rules from quality_rules order by rules_id desc limit 1"
INSERT_RULES = "insert into quality_rules (rules, declared_by, declared_at) values ($1, $2, $3)"


async def find_rules(transaction: Transaction) -> QualityRules:
    """What the programme declared last; the defaults while it has declared nothing."""
    found = await transaction.raw.fetchval(FIND_RULES)
    return QualityRules() if found is None else QualityRules.model_validate_json(found)


async def insert_rules(transaction: Transaction, rules: QualityRules, author: str) -> None:
    """Declare what counts from now on."""
    await transaction.raw.execute(INSERT_RULES, rules.model_dump_json(), author, transaction.now)


async def find_facts(transaction: Transaction, member_id: UUID) -> Facts | None:
    """What is known about a member's fields; None where there is no such member."""
    row = await transaction.raw.fetchrow(FIND_FACTS, member_id)
    return None if row is None else _facts(row)


async def note_person(
    transaction: Transaction,
    member_id: UUID,
    filled: Collection[QualityField],
    restated: Collection[QualityField],
) -> None:
    """Keep what a locked member's person has, and that some of it is new: nothing found out about the old one holds."""
    await transaction.raw.execute(NOTE_PERSON, member_id, list(filled), list(restated), transaction.now)


async def insert_check(transaction: Transaction, check: FieldCheck, *, holds: bool) -> None:
    """Keep a check of a locked member; where it ``holds``, it tells about the value that is there."""
    await transaction.raw.execute(
        INSERT_CHECK,
        check.check_id,
        check.member_id,
        check.field,
        check.outcome,
        check.source,
        check.checked_at,
        check.recorded_at,
        check.recorded_by,
    )
    if holds:
        await transaction.raw.execute(NOTE_CHECK[check.field], check.member_id, check.outcome, check.checked_at)


async def find_end(transaction: Transaction, after: UUID) -> UUID:
    """Where a stretch of ``STRETCH_MEMBERS_MAX`` members ends, or ``LAST_ID`` where fewer are left."""
    end: UUID | None = await transaction.raw.fetchval(FIND_END, after, STRETCH_MEMBERS_MAX - 1)
    return LAST_ID if end is None else end


async def load_report(
    transaction: Transaction, rules: QualityRules, *, after: UUID = FIRST_ID, until: UUID = LAST_ID
) -> list[asyncpg.Record]:
    """A stretch of members by bucket of scores, with how many need which repair (``<field>_<repair>``)."""
    return list(await transaction.raw.fetch(REPORT, *_arguments(rules, transaction.now), after, until))


async def load_queue(
    transaction: Transaction,
    rules: QualityRules,
    *,
    position: tuple[int, UUID] | None,
    rows_max: int,
    after: UUID = FIRST_ID,
    until: UUID = LAST_ID,
) -> list[tuple[UUID, Facts]]:
    """Members of a stretch of whom something can be repaired, the worst first, from ``position`` in that order on."""
    arguments = (*_arguments(rules, transaction.now), after, until, *(position or (None, None)), rows_max)
    return [(row["member_id"], _facts(row)) for row in await transaction.raw.fetch(QUEUE, *arguments)]


def _arguments(rules: QualityRules, now: datetime) -> list[object]:
    aspects = rules.aspects
    weights = [rules.weight_of[field] for field in FIELDS]
    return [
        rules.fresh_since(now),
        aspects.filled,
        aspects.verified,
        aspects.fresh,
        aspects.valid,
        rules.most,
        *weights,
    ]


def _facts(row: asyncpg.Record) -> Facts:
    return {
        field: FieldFacts(row[f"{field}_at"], row[f"{field}_verified_at"], row[f"{field}_invalid_at"])
        for field in FIELDS
    }
