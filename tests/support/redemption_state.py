"""How a life stands on the database, and on paper, in the same words."""

from datetime import date
from typing import Any, NamedTuple

from shared.database import Database, Transaction
from shared.events.catalogue import REDEMPTIONS
from shared.events.redemptions import (
    PointsGifted,
    RedemptionCaptured,
    RedemptionDeclined,
    RedemptionEvent,
    RedemptionExpired,
    RedemptionHeld,
    RedemptionRefunded,
    RedemptionVoided,
)
from shared.ledger import Balances
from shared.receipt_key import natural_key_of
from tests.support.ledger_database import balances_of, holds_of, lots_of, owed_of
from tests.support.redemption_names import Names
from tests.support.redemption_paper import PaperRedemptions
from tests.support.redemption_paper_holds import Told

_REDEMPTIONS = """
    select redemption_id, state, member_id, held_points, open_points, captured_points, uncovered_points
    from redemptions where redemption_id = any($1::uuid[])
"""
_CAPTURES = """
    select redemption_id, receipt_key, points, late_points, debt_points, uncovered_points, released_points,
        refunded_points
    from redemption_captures where redemption_id = any($1::uuid[])
"""
_EXCEPTIONS = """
    select kind, redemption_id, receipt_key, content_hash, settled_at is null as is_open
    from redemption_exceptions where redemption_id = any($1::uuid[])
"""
_WAITING = "select receipt_key, redemption_id from redemption_waiting_tenders where redemption_id = any($1::uuid[])"


class Stands(NamedTuple):
    """Everything that can be compared."""

    redemptions: dict[int, tuple[Any, ...]]
    captures: dict[tuple[int, int], tuple[int, ...]]
    exceptions: dict[tuple[str, int, int, str], bool]
    waiting: set[tuple[int, int]]
    balances: dict[Any, Balances]
    lots: dict[Any, tuple[int, int]]
    holds: dict[Any, Any]
    owed: dict[Any, dict[str, int]]


async def stored(database: Database, names: Names, today: date) -> Stands:
    """As the database has it."""
    ids = list(names.redemptions)
    of = {redemption_id: number for number, redemption_id in enumerate(names.redemptions)}
    receipt = {key: number for number, key in enumerate(names.receipt_keys)}
    member = {member_id: number for number, member_id in enumerate(names.members)}
    async with database.transaction() as transaction:
        raw = transaction.raw
        rows = await raw.fetch(_REDEMPTIONS, ids)
        captures = await raw.fetch(_CAPTURES, ids)
        exceptions = await raw.fetch(_EXCEPTIONS, ids)
        waiting = await raw.fetch(_WAITING, ids)
    balances, lots = await balances_of(database, names.members), await lots_of(database, names.members)
    for (owner_id, point_type, (terms, award)), (remaining, reserved) in list(lots.items()):
        # Whether anybody has taken it off yet or not: what has lapsed is nobody's.
        if award is None and terms.expires_on is not None and terms.expires_on <= today:
            balance = balances[owner_id, point_type]
            balances[owner_id, point_type] = balance._replace(available=balance.available - remaining)
            lots[owner_id, point_type, (terms, award)] = (0, reserved)
    return Stands(
        {of[row[0]]: (row[1], member.get(row[2]), *tuple(row)[3:]) for row in rows},
        {(of[row[0]], receipt[row[1]]): tuple(row)[2:] for row in captures},
        {(row[0], of[row[1]], receipt[row[2]], names.document_of(row[3])): row[4] for row in exceptions},
        {(receipt[row[0]], of[row[1]]) for row in waiting},
        balances,
        {name: amounts for name, amounts in lots.items() if any(amounts)},
        await holds_of(database, names.members),
        await owed_of(database, names.members),
    )


def on_paper(paper: PaperRedemptions) -> Stands:
    """As it is on paper."""
    return Stands(
        {
            number: (
                one.state,
                one.member,
                one.held,
                paper.open_points(one),
                sum(took.points for took in one.took.values()),
                sum(took.uncovered for took in one.took.values()),
            )
            for number, one in paper.redemptions.items()
        },
        {
            (number, receipt): (took.points, took.late, took.owed, took.uncovered, took.released, took.back)
            for number, one in paper.redemptions.items()
            for receipt, took in one.took.items()
        },
        dict(paper.exceptions),
        set(paper.waiting),
        paper.ledger.balances(),
        paper.ledger.lots(),
        paper.ledger.holds(),
        paper.ledger.owed(),
    )


async def told(database: Database, names: Names) -> list[Told]:
    """What was published since this was asked last, in no order."""

    async def work(transaction: Transaction) -> list[RedemptionEvent]:
        rows = await transaction.raw.fetch("delete from outbox returning body")
        return [REDEMPTIONS.read(row["body"]) for row in rows]

    return sorted([_told(event, names) for event in await database.run(work)], key=repr)


def _told(event: RedemptionEvent, names: Names) -> Told:
    of = names.redemptions.index
    match event:
        case RedemptionHeld(data=data):
            return ("Held", of(data.redemption_id), data.points)
        case RedemptionDeclined(data=data):
            return ("Declined", of(data.redemption_id), data.points)
        case PointsGifted(data=data):
            return ("Gifted", names.gifts.index(data.gift_id), data.points)
        case RedemptionVoided(data=data):
            return ("Voided", of(data.redemption_id), data.points, data.open_points)
        case RedemptionExpired(data=data):
            return ("Expired", of(data.redemption_id), data.points)
        case RedemptionCaptured(data=data):
            receipt = names.receipt_keys.index(natural_key_of(data.receipt_id))
            figures = (data.points, data.released_points, data.uncovered_points, data.debt_points, data.late_because)
            return ("Captured", of(data.redemption_id), receipt, *figures)
        case RedemptionRefunded(data=data):
            receipt = names.receipt_keys.index(natural_key_of(data.receipt_id))
            return ("Refunded", of(data.redemption_id), receipt, data.points, data.debt_points)
        case _:
            raise AssertionError(f"nobody asked for this: {event}")
