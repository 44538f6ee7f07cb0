"""Published rule sets, as workers judge by them: immutable versions."""

from typing import NamedTuple

from services.accrual.domain.rule_set_life import Publication
from services.accrual.domain.rules import RuleSet
from shared.database import Transaction

# One publication at a time: versions rise without gaps, and what follows what stands still meanwhile.
_QUEUE = "select pg_advisory_xact_lock(hashtext('publication of rule sets'))"

# Withdrawn ones too: a receipt of a till whose clock runs ahead may have been judged by one, and its return is.
_LOAD_NEWER = """
    select version, state = 'withdrawn' as is_withdrawn,
        case when version > $1 then
            (document || jsonb_build_object('version', version, 'effective_from', effective_from))::text
        end as document
    from rule_sets
    where version is not null
    order by version
"""

_LOAD_PUBLICATIONS = """
    select version, effective_from, state = 'retired' as is_retired from rule_sets
    where state in ('published', 'retired')
    order by effective_from
"""

_HIGHEST_VERSION = "select coalesce(max(version), 0) from rule_sets"


class Known(NamedTuple):
    """What a process has to read: versions that it does not know, and which of all were withdrawn."""

    newer: list[RuleSet]
    withdrawn: frozenset[int]


async def queue_for_publication(transaction: Transaction) -> int:
    """Wait for other publications to end, to the commit; the highest version so far (0 before the first)."""
    await transaction.raw.execute(_QUEUE)
    return int(await transaction.raw.fetchval(_HIGHEST_VERSION))


async def load_publications(transaction: Transaction) -> list[Publication]:
    """Every version that judges receipts, or will, in the order in which they take effect."""
    return [Publication(*row) for row in await transaction.raw.fetch(_LOAD_PUBLICATIONS)]


async def load_newer(transaction: Transaction, than_version: int) -> Known:
    """Versions above ``than_version``, rising, and all that were withdrawn."""
    rows = await transaction.raw.fetch(_LOAD_NEWER, than_version)
    return Known(
        [RuleSet.model_validate_json(row["document"]) for row in rows if row["document"] is not None],
        frozenset(row["version"] for row in rows if row["is_withdrawn"]),
    )
