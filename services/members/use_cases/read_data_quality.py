"""How well members are known: one, all, and whom to ask first. Opens nobody's data."""

from collections import Counter
from dataclasses import dataclass
from uuid import UUID

from services.members.domain.data_quality import (
    FIELDS,
    SCORES_A_BUCKET,
    Quality,
    QualityField,
    QualityRules,
    Repair,
    judge_quality,
)
from services.members.domain.errors import MemberNotFoundError
from services.members.repository import data_quality
from services.members.repository.data_quality import FIRST_ID, LAST_ID
from shared.database import Database, Transaction

REPAIRS: tuple[Repair, ...] = ("fill", "correct", "verify", "refresh")


@dataclass(frozen=True, slots=True)
class Report:
    """All members who take part: how many in each bucket of scores, and how many need which repair."""

    members: int
    buckets: tuple[int, ...]
    repairs: dict[QualityField, dict[Repair, int]]


async def read_quality(transaction: Transaction, member_id: UUID) -> Quality:
    """A member's score, with what would raise it.

    Raises:
        MemberNotFoundError: there is no such member.
    """
    facts = await data_quality.find_facts(transaction, member_id)
    if facts is None:
        raise MemberNotFoundError("there is no such member")
    return judge_quality(facts, await data_quality.find_rules(transaction), transaction.now)


async def read_report(database: Database) -> Report:
    """The distribution of scores, and of what is to be repaired: stretch by stretch, each in its own transaction."""
    by_bucket: Counter[int] = Counter()
    needed: Counter[str] = Counter()
    after = FIRST_ID
    while after != LAST_ID:
        async with database.transaction() as transaction:
            rules = await data_quality.find_rules(transaction)
            until = await data_quality.find_end(transaction, after)
            rows = await data_quality.load_report(transaction, rules, after=after, until=until)
        for row in rows:
            by_bucket[row["bucket"]] += row["members"]
            needed.update({f"{field}_{repair}": row[f"{field}_{repair}"] for field in FIELDS for repair in REPAIRS})
        after = until
    return Report(
        members=by_bucket.total(),
        buckets=tuple(by_bucket[bucket] for bucket in range(100 // SCORES_A_BUCKET)),
        repairs={field: {repair: needed[f"{field}_{repair}"] for repair in REPAIRS} for field in FIELDS},
    )


async def read_queue(
    database: Database, *, position: tuple[int, UUID] | None, rows_max: int
) -> list[tuple[UUID, Quality]]:
    """Whom to ask first, and for what: the worst of each stretch, and of these the worst."""
    worst: list[tuple[UUID, Quality]] = []
    after = FIRST_ID
    while after != LAST_ID:
        async with database.transaction() as transaction:
            rules = await data_quality.find_rules(transaction)
            until = await data_quality.find_end(transaction, after)
            found = await data_quality.load_queue(
                transaction, rules, position=position, rows_max=rows_max, after=after, until=until
            )
        judged = [(member_id, judge_quality(facts, rules, transaction.now)) for member_id, facts in found]
        worst = sorted([*worst, *judged], key=lambda each: (each[1].score_percent, each[0]))[:rows_max]
        after = until
    return worst


async def read_rules(transaction: Transaction) -> QualityRules:
    """What counts now."""
    return await data_quality.find_rules(transaction)


async def declare_rules(transaction: Transaction, rules: QualityRules, author: str) -> None:
    """What counts from now on."""
    await data_quality.insert_rules(transaction, rules, author)
