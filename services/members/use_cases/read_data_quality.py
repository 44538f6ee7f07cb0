"""How well members are known: one, all, and whom to ask first. Opens nobody's data."""

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
from shared.database import Transaction

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


async def read_report(transaction: Transaction) -> Report:
    """The distribution of scores, and of what is to be repaired."""
    rows = await data_quality.load_report(transaction, await data_quality.find_rules(transaction))
    by_bucket = {row["bucket"]: row["members"] for row in rows}
    return Report(
        members=sum(by_bucket.values()),
        buckets=tuple(by_bucket.get(bucket, 0) for bucket in range(100 // SCORES_A_BUCKET)),
        repairs={
            field: {repair: sum(row[f"{field}_{repair}"] for row in rows) for repair in REPAIRS} for field in FIELDS
        },
    )


async def read_queue(
    transaction: Transaction, *, after: tuple[int, UUID] | None, rows_max: int
) -> list[tuple[UUID, Quality]]:
    """Whom to ask first, and for what."""
    rules = await data_quality.find_rules(transaction)
    found = await data_quality.load_queue(transaction, rules, after=after, rows_max=rows_max)
    return [(member_id, judge_quality(facts, rules, transaction.now)) for member_id, facts in found]


async def read_rules(transaction: Transaction) -> QualityRules:
    """What counts now."""
    return await data_quality.find_rules(transaction)


async def declare_rules(transaction: Transaction, rules: QualityRules, author: str) -> None:
    """What counts from now on."""
    await data_quality.insert_rules(transaction, rules, author)
