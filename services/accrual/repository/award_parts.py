"""The parts of awards that are more than one lot, and what returns took of them. Whoever changes them has the award."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, NamedTuple, TypeAlias

import asyncpg

from services.accrual.domain.award_parts import award_of_part
from services.accrual.domain.rules.pending import Wait
from shared.database import Transaction
from shared.ledger import LotTerms
from shared.ledger.conditions import read_funding, read_limits, write_funding, write_limits

# ``earned``: never waited; ``held``: waited, and fraud's hold outlasted that; ``lapsed``: waited for what never came.
PartState: TypeAlias = Literal["earned", "pending", "held", "released", "lapsed"]

_COLUMNS = """natural_key, number, point_type, points, taken_back, issuer, basis, available_from, expires_on, funding,
    limits, waits_until, waits_for, lapses, expiry, state, released_from, released_expires_on"""

_LOAD = f"select {_COLUMNS} from award_parts where natural_key = any($1::bytea[]) order by natural_key, number"

_LOAD_TAKEN = """
    select natural_key, number, point_type, points, became_debt from return_parts
    where natural_key = any($1::bytea[]) order by natural_key, number
"""

_TAKE_BACK = """
    update award_parts set taken_back = award_parts.taken_back + taken.points
    from unnest($1::bytea[], $2::smallint[], $3::bigint[]) as taken (natural_key, number, points)
    where award_parts.natural_key = taken.natural_key and award_parts.number = taken.number
"""

_SETTLE = """
    update award_parts set state = settled.state, released_from = settled.released_from,
        released_expires_on = settled.released_expires_on
    from unnest($1::bytea[], $2::smallint[], $3::text[], $4::date[], $5::date[])
        as settled (natural_key, number, state, released_from, released_expires_on)
    where award_parts.natural_key = settled.natural_key and award_parts.number = settled.number
"""


class PartRow(NamedTuple):
    """A part as it stands in the table."""

    natural_key: bytes
    number: int
    point_type: str
    points: int
    taken_back: int
    issuer: str
    basis: str
    available_from: date
    expires_on: date | None
    funding: str | None
    limits: str | None
    waits_until: date | None
    waits_for: str | None
    lapses: bool
    expiry: str | None
    state: PartState
    released_from: date | None = None
    released_expires_on: date | None = None


class ReturnPartRow(NamedTuple):
    """What a return took of a part."""

    natural_key: bytes
    number: int
    point_type: str
    points: int
    became_debt: int


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A part of an award as it stands. ``terms`` and ``wait`` are as they were earned, ``lot`` where its points are."""

    natural_key: bytes
    number: int
    point_type: str
    points: int
    taken_back: int
    terms: LotTerms
    wait: Wait | None
    expiry: str | None
    state: PartState
    lot: LotTerms

    @property
    def award(self) -> bytes:
        """What the ledger calls it."""
        return award_of_part(self.natural_key, self.number)

    @property
    def waits(self) -> bool:
        """Whether its points are not to be spent yet."""
        return self.state in ("pending", "held")


def row_of(
    natural_key: bytes,
    number: int,
    point_type: str,
    points: int,
    terms: LotTerms,
    wait: Wait | None,
    expiry: str | None,
    state: PartState,
) -> PartRow:
    """A new part."""
    until, event, lapses = wait or (None, None, False)
    return PartRow(
        natural_key,
        number,
        point_type,
        points,
        0,
        terms.issuer,
        terms.basis,
        terms.available_from,
        terms.expires_on,
        None if terms.funding is None else write_funding(terms.funding),
        None if terms.limits is None else write_limits(terms.limits),
        until,
        event,
        lapses,
        expiry,
        state,
    )


async def save(transaction: Transaction, rows: Sequence[PartRow]) -> None:
    """Insert the parts of new awards."""
    await transaction.raw.copy_records_to_table("award_parts", columns=PartRow._fields, records=rows)


async def load(transaction: Transaction, keys: Collection[bytes]) -> dict[bytes, tuple[StoredPart, ...]]:
    """The parts of awards that this transaction has locked, by their numbers; an award of one lot is absent."""
    found: dict[bytes, tuple[StoredPart, ...]] = {}
    for row in await transaction.raw.fetch(_LOAD, list(keys)):
        part = stored(row)
        found[part.natural_key] = (*found.get(part.natural_key, ()), part)
    return found


async def take_back(transaction: Transaction, points: Mapping[tuple[bytes, int], int]) -> None:
    """Count points as taken back from parts, by award and number."""
    await transaction.raw.execute(
        _TAKE_BACK, [key for key, _ in points], [number for _, number in points], list(points.values())
    )


async def settle(transaction: Transaction, parts: Sequence[StoredPart]) -> None:
    """Say what has become of parts that waited: their state, and the days of their lots where those have changed."""
    changed = [None if part.lot == part.terms else part.lot for part in parts]
    await transaction.raw.execute(
        _SETTLE,
        [part.natural_key for part in parts],
        [part.number for part in parts],
        [part.state for part in parts],
        [None if lot is None else lot.available_from for lot in changed],
        [None if lot is None else lot.expires_on for lot in changed],
    )


async def save_returns(transaction: Transaction, rows: Sequence[ReturnPartRow]) -> None:
    """Keep what returns took of parts."""
    await transaction.raw.copy_records_to_table("return_parts", columns=ReturnPartRow._fields, records=rows)


async def load_taken(transaction: Transaction, keys: Collection[bytes]) -> dict[bytes, tuple[ReturnPartRow, ...]]:
    """What returns took of each part, by return; one that took of an award of one lot is absent."""
    found: dict[bytes, tuple[ReturnPartRow, ...]] = {}
    for row in await transaction.raw.fetch(_LOAD_TAKEN, list(keys)):
        found[row["natural_key"]] = (*found.get(row["natural_key"], ()), ReturnPartRow(*row))
    return found


def stored(row: asyncpg.Record) -> StoredPart:
    """A part from its row."""
    terms = LotTerms(
        issuer=row["issuer"],
        available_from=row["available_from"],
        expires_on=row["expires_on"],
        basis=row["basis"],
        funding=None if row["funding"] is None else read_funding(row["funding"]),
        limits=None if row["limits"] is None else read_limits(row["limits"]),
    )
    until, released_from = row["waits_until"], row["released_from"]
    lot = terms
    if released_from is not None:
        lot = replace(terms, available_from=released_from, expires_on=row["released_expires_on"])
    return StoredPart(
        natural_key=row["natural_key"],
        number=row["number"],
        point_type=row["point_type"],
        points=row["points"],
        taken_back=row["taken_back"],
        terms=terms,
        wait=None if until is None else Wait(until, row["waits_for"], row["lapses"]),
        expiry=row["expiry"],
        state=row["state"],
        lot=lot,
    )


def held(part: StoredPart) -> StoredPart:
    """A part that would be released, did not fraud hold its award."""
    return replace(part, state="held")
