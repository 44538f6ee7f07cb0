"""Lets points lapse whose day has come: a page of lots in a transaction, and tells each member once a page and day."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal
from uuid import UUID

from services.accrual.repository import expired_days
from services.accrual.use_cases.expiry_messages import expired_message
from shared import ledger, outbox
from shared.database import Transaction
from shared.ledger import Balances, FundedPoints, Funding, HeldSince, Posted, due_lots
from shared.ledger.due_lots import DueLot, LotPlace, Stretch


async def find_due_day(transaction: Transaction, after: date | None) -> date | None:
    """The first day that is not done with, later than ``after`` too, on which lots expire and that has come."""
    finished = await expired_days.load_finished(transaction)
    day = await due_lots.find_day(transaction, finished if after is None else max(finished, after))
    return None if day is None or transaction.today is None or day > transaction.today else day


async def expire_page(
    transaction: Transaction, day: date, after: LotPlace, *, lots_max: int, due_max: int, held_since: HeldSince
) -> Stretch:
    """Let what is left of the next lots of a day lapse; how far it came.

    Accounts are locked in key order and read again under their locks, so that a page that comes twice, or beside a
    purchase or a merge, takes what is there then and nothing twice. What holds reserve and what is pending stays.
    """
    stretch = await due_lots.find_due(transaction, day, after, lots_max=lots_max, due_max=due_max)
    await expire_lots(transaction, stretch.due, held_since)
    return stretch


async def tell_lapses(transaction: Transaction, lots_max: int, held_since: HeldSince) -> int:
    """Tell of what lapsed in passing, where something else moved an account's points; how many lots come back."""
    lapses = await due_lots.find_lapses(transaction, lots_max)
    await expire_lots(transaction, lapses, held_since)
    return len(lapses)


async def expire_lots(
    transaction: Transaction, due: Sequence[DueLot], held_since: HeldSince, because: Literal["inactivity"] | None = None
) -> None:
    """Let what is left in these lots lapse, and tell each member once a day; ``because``: not for their own day."""
    if not due:
        return
    outcomes = await ledger.post(transaction, [lot.command for lot in due], held_since=held_since)
    untold = await due_lots.take_lapses(transaction, [lot.place for lot in due])
    points: dict[tuple[UUID, str, date], dict[str, int]] = {}
    funded: dict[tuple[UUID, str, date], dict[tuple[str, Funding], int]] = {}
    balances: dict[tuple[UUID, str], Balances] = {}
    for lot, outcome in zip(due, outcomes, strict=True):
        if not isinstance(outcome, Posted):
            raise TypeError(f"the ledger refused {outcome.command}: expiry is never refused")
        owner_id, point_type = outcome.command.owner_id, outcome.command.point_type
        balances[owner_id, point_type] = outcome.balance
        if lapsed := outcome.points + untold.get(lot.place, 0):
            of_day, funding = (owner_id, point_type, lot.expires_on), lot.command.terms.funding
            by_issuer = points.setdefault(of_day, {})
            by_issuer[lot.issuer] = by_issuer.get(lot.issuer, 0) + lapsed
            if funding is not None:
                by_funding = funded.setdefault(of_day, {})
                by_funding[lot.issuer, funding] = by_funding.get((lot.issuer, funding), 0) + lapsed
    await outbox.record(
        transaction,
        [
            expired_message(
                transaction,
                *of_day,
                by_issuer,
                _funded(funded.get(of_day, {})),
                balances[of_day[0], of_day[1]],
                because,
            )
            for of_day, by_issuer in points.items()
        ],
    )


def _funded(points: Mapping[tuple[str, Funding], int]) -> list[FundedPoints]:
    return [FundedPoints(issuer, funding, part) for (issuer, funding), part in points.items()]
