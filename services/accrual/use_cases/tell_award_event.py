"""Takes in that something has come for which points of a receipt wait: a delivery, an end of a right to give back."""

from collections.abc import Sequence
from typing import Literal

from services.accrual.domain.award_events import ReceiptEarnsNothingError, Told, ToldPart
from services.accrual.repository import award_events, awards, claims
from services.accrual.repository.award_events import AwardEvent
from services.accrual.repository.award_parts import StoredPart
from services.accrual.repository.awards import StoredAward
from services.accrual.use_cases.lock_owners import lock_owners
from services.accrual.use_cases.release_points import settle_parts
from shared.database import Transaction


async def tell_award_event(transaction: Transaction, told: AwardEvent) -> Told:
    """Release what waits for the event; what it comes too late for stays as time has settled it, or will.

    Idempotent: told again, it is answered as it stands. It may come before its receipt has been decided: everybody
    meets in the receipt's claim, so that the award finds it. Under a hold of fraud's the points are noted as due, and
    the hold's release gives them free. Holds the claim, then the member, then the award, to the commit.

    Raises:
        ReceiptEarnsNothingError: nothing of the receipt waits, or ever will; nothing was changed.
        StartAgainError: the member was merged away while we waited for its row.
    """
    key = told.natural_key
    claim = (await claims.name(transaction, [key]))[key]
    if claim.state == "refused":
        raise ReceiptEarnsNothingError("the receipt was refused, and earned nothing")
    if claim.state != "awarded" or claim.owner_id is None:
        await award_events.insert(transaction, told)
        return Told("recorded")
    await lock_owners(transaction, [claim.owner_id])
    award = (await awards.lock_awards(transaction, [key])).get(key)
    if award is None:
        raise ReceiptEarnsNothingError("the receipt is a return, and earned nothing")
    return await tell_of_award(transaction, told, award)


async def tell_of_award(transaction: Transaction, told: AwardEvent, award: StoredAward) -> Told:
    """The same once the award is locked, whatever it is of."""
    asked = [part for part in award.parts if part.wait is not None and part.wait.event == told.event]
    today = transaction.today or transaction.now.date()
    waiting = [part for part in asked if part.state == "pending" and part.wait is not None and today < part.wait.until]
    await award_events.insert(transaction, told)
    settled = await settle_parts(transaction, [(award, part) for part in waiting], today, None, told.event)
    now = {part.number: part for part in settled}
    return _said([now.get(part.number, part) for part in asked])


def _said(parts: Sequence[StoredPart]) -> Told:
    told = tuple(ToldPart(part.point_type, part.points - part.taken_back, _result(part)) for part in parts)
    if not told:
        return Told("nothing_waits")
    first = told[0].result
    return Told(first if all(part.result == first for part in told) else "released", told)


def _result(part: StoredPart) -> Literal["released", "held", "too_late"]:
    match part.state:
        case "released":
            return "released"
        case "held":
            return "held"
        case _:  # its last day is over: it has lapsed, or whoever goes through what is due is on the way
            return "too_late"
