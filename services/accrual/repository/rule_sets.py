"""Published rule sets: immutable documents, by version."""

from sqlalchemy import Column, DateTime, Integer, MetaData, Table, Text, func, select
from sqlalchemy.dialects.postgresql import JSONB, insert

from services.accrual.domain.rules import RuleSet
from shared.database import Transaction

_rule_sets = Table(
    "rule_sets",
    MetaData(),
    Column("version", Integer, primary_key=True),
    Column("effective_from", DateTime(timezone=True), nullable=False),
    Column("document", JSONB, nullable=False),
    Column("published_by", Text, nullable=False),
    Column("published_at", DateTime(timezone=True), nullable=False),
)

# One publication at a time: versions rise without gaps. The number only has to differ from other advisory locks here.
_PUBLICATION_LOCK = 7_300_001


async def lock_publication(transaction: Transaction) -> int:
    """Wait for other publications to end; the highest version so far (0 before the first)."""
    await transaction.connection.execute(select(func.pg_advisory_xact_lock(_PUBLICATION_LOCK)))
    highest = await transaction.connection.execute(select(func.max(_rule_sets.c.version)))
    return highest.scalar_one_or_none() or 0


async def save(transaction: Transaction, rule_set: RuleSet, published_by: str) -> None:
    """Insert one version."""
    await transaction.connection.execute(
        insert(_rule_sets).values(
            version=rule_set.version,
            effective_from=rule_set.effective_from,
            document=rule_set.model_dump(mode="json"),
            published_by=published_by,
            published_at=transaction.now,
        )
    )


async def load_newer(transaction: Transaction, than_version: int) -> list[RuleSet]:
    """Versions above ``than_version``, rising."""
    rows = await transaction.connection.execute(
        select(_rule_sets.c.document).where(_rule_sets.c.version > than_version).order_by(_rule_sets.c.version)
    )
    return [RuleSet.model_validate(document) for (document,) in rows]


async def load(transaction: Transaction, version: int) -> RuleSet:
    """One version.

    Raises:
        sqlalchemy.exc.NoResultFound: there is no such version.
    """
    rows = await transaction.connection.execute(select(_rule_sets.c.document).where(_rule_sets.c.version == version))
    return RuleSet.model_validate(rows.scalar_one())
