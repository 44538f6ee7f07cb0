"""Published tier schemes: immutable documents, by version."""

from sqlalchemy import Column, DateTime, Integer, MetaData, Table, Text, func, select
from sqlalchemy.dialects.postgresql import JSONB, insert

from services.accrual.domain.tiers.scheme import TierScheme
from shared.database import Transaction

_tier_schemes = Table(
    "tier_schemes",
    MetaData(),
    Column("version", Integer, primary_key=True),
    Column("effective_from", DateTime(timezone=True), nullable=False),
    Column("document", JSONB, nullable=False),
    Column("published_by", Text, nullable=False),
    Column("published_at", DateTime(timezone=True), nullable=False),
)

_LOAD_NEWER = "select document from tier_schemes where version > $1 order by version"

# One publication at a time: versions rise without gaps. The number only has to differ from other advisory locks here.
_PUBLICATION_LOCK = 7_300_002


async def lock_publication(transaction: Transaction) -> list[TierScheme]:
    """Wait for other publications to end; all versions so far, rising."""
    await transaction.connection.execute(select(func.pg_advisory_xact_lock(_PUBLICATION_LOCK)))
    return await load_newer(transaction, 0)


async def save(transaction: Transaction, scheme: TierScheme, published_by: str) -> None:
    """Insert one version."""
    await transaction.connection.execute(
        insert(_tier_schemes).values(
            version=scheme.version,
            effective_from=scheme.effective_from,
            document=scheme.model_dump(mode="json"),
            published_by=published_by,
            published_at=transaction.now,
        )
    )


async def load_newer(transaction: Transaction, than_version: int) -> list[TierScheme]:
    """Versions above ``than_version``, rising."""
    rows = await transaction.raw.fetch(_LOAD_NEWER, than_version)
    return [TierScheme.model_validate(row["document"]) for row in rows]
