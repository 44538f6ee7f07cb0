"""What returns brought back, and what they took of awards."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from shared.database import Transaction

_SAVE_RETURNS = """
    insert into returns (
        natural_key, original_key, owner_id, points, became_debt, cause, clipped, lacked, withheld, decided_at
    )
    select natural_key, original_key, owner_id, points, became_debt, cause, clipped, lacked, withheld, $1
    from unnest(
        $2::bytea[], $3::bytea[], $4::uuid[], $5::bigint[], $6::bigint[], $7::text[], $8::bigint[], $9::bigint[],
        $10::bigint[]
    ) as incoming (natural_key, original_key, owner_id, points, became_debt, cause, clipped, lacked, withheld)
    order by natural_key
"""

_SAVE_RETURNED_LINES = """
    insert into returned_lines (original_key, line_id, natural_key, quantity_thousandths)
    select original_key, line_id, natural_key, quantity_thousandths
    from unnest($1::bytea[], $2::bigint[], $3::bytea[], $4::bigint[])
        as incoming (original_key, line_id, natural_key, quantity_thousandths)
    order by original_key, line_id, natural_key
"""

_RETURNED_OF = """
    select original_key, line_id, sum(quantity_thousandths)::bigint as quantity_thousandths
    from returned_lines where original_key = any($1::bytea[])
    group by original_key, line_id
"""

# What an exchange brought back that was voided is not back. Of what a correction takes nothing is forgiven, but what it
# lacked counts.
_LACKED_OF = """
    select original_key, sum(points)::bigint as points
    from (
            select lines.original_key, returns.lacked as points
            from (
                    select distinct original_key, natural_key from returned_lines where original_key = any($1::bytea[])
                ) as lines
                join returns on returns.natural_key = lines.natural_key
            where returns.voided_by is null
            union all
            select original_key, became_debt + clipped from corrections where original_key = any($1::bytea[])
        ) as lacking
    group by original_key
"""


@dataclass(frozen=True, slots=True)
class ReturnRow:
    """A return that was decided, or whatever else took an award back: ``cause`` says what.

    ``clipped`` points were to be taken besides and were not there: their issuer bears them. ``lacked`` were not there
    where rules may forgive a little, whether somebody owes them or not. ``withheld`` of what was to be taken the member
    keeps: money was kept of the refund for them.
    """

    natural_key: bytes
    original_key: bytes
    owner_id: UUID
    points: int
    became_debt: int
    returned_thousandths: Mapping[int, int]
    cause: str = "return"
    clipped: int = 0
    lacked: int = 0
    withheld: int = 0


async def save(transaction: Transaction, rows: Sequence[ReturnRow]) -> None:
    """Keep what returns brought back, for the next return of the same receipt."""
    await transaction.raw.execute(
        _SAVE_RETURNS,
        transaction.now,
        [row.natural_key for row in rows],
        [row.original_key for row in rows],
        [row.owner_id for row in rows],
        [row.points for row in rows],
        [row.became_debt for row in rows],
        [row.cause for row in rows],
        [row.clipped for row in rows],
        [row.lacked for row in rows],
        [row.withheld for row in rows],
    )
    lines = [(row, line, quantity) for row in rows for line, quantity in row.returned_thousandths.items()]
    await transaction.raw.execute(
        _SAVE_RETURNED_LINES,
        [row.original_key for row, _, _ in lines],
        [line for _, line, _ in lines],
        [row.natural_key for row, _, _ in lines],
        [quantity for _, _, quantity in lines],
    )


async def load_returned(transaction: Transaction, original_keys: Collection[bytes]) -> dict[bytes, dict[int, int]]:
    """Quantities returned so far, in thousandths, by original receipt and line."""
    returned: dict[bytes, dict[int, int]] = {}
    for row in await transaction.raw.fetch(_RETURNED_OF, list(original_keys)):
        returned.setdefault(row["original_key"], {})[row["line_id"]] = row["quantity_thousandths"]
    return returned


async def load_lacked(transaction: Transaction, original_keys: Collection[bytes]) -> dict[bytes, int]:
    """How many of the programme's own points of these receipts were not there when they were taken back, for goods that
    came back or by corrections."""
    rows = await transaction.raw.fetch(_LACKED_OF, list(original_keys))
    return {row["original_key"]: row["points"] for row in rows}
