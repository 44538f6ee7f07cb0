"""Where partners stood when, from coalition's topic. A version is written once, in whatever order they come."""

from collections.abc import Collection, Sequence

from services.accrual.domain.partner_standing import Standing
from shared.database import Transaction
from shared.events.coalition import PartnerChanged

_SAVE = """
    insert into partner_standings (partner_id, version, kind, state, in_force_from, last_earn_on, returns_until)
    select * from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::timestamptz[], $6::date[], $7::date[])
        as new (partner_id, version, kind, state, in_force_from, last_earn_on, returns_until)
    order by partner_id, version
    on conflict (partner_id, version) do nothing
"""

_LOAD = """
    select partner_id, version, kind, state, in_force_from, last_earn_on, returns_until
    from partner_standings where partner_id = any($1::text[])
"""


async def save(transaction: Transaction, changes: Sequence[PartnerChanged]) -> None:
    """Keep what these events say of where partners stand."""
    rows = [(change.data, change.data.in_force_from or change.time) for change in changes]
    await transaction.raw.execute(
        _SAVE,
        [data.partner_id for data, _ in rows],
        [data.version for data, _ in rows],
        [data.kind for data, _ in rows],
        [data.state for data, _ in rows],
        [in_force_from for _, in_force_from in rows],
        [data.last_earn_on for data, _ in rows],
        [data.returns_until for data, _ in rows],
    )


async def load(transaction: Transaction, partner_ids: Collection[str]) -> dict[str, list[Standing]]:
    """All that these partners ever were; one not heard of is absent."""
    histories: dict[str, list[Standing]] = {}
    for row in await transaction.raw.fetch(_LOAD, list(partner_ids)):
        histories.setdefault(row["partner_id"], []).append(
            Standing(
                row["version"],
                row["kind"],
                row["state"],
                row["in_force_from"],
                row["last_earn_on"],
                row["returns_until"],
            )
        )
    return histories
