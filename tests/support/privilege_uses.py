"""Receipts that used a privilege, settled as the consumer does it, and uses that a till reserved."""

from datetime import datetime, timedelta
from uuid import UUID

from services.redemption.domain import voiding
from services.redemption.domain.privileges.entitlement import Place
from services.redemption.domain.privileges.usage import Told, told_by
from services.redemption.programme import Programme
from services.redemption.use_cases.hold_points import Spender
from services.redemption.use_cases.reserve_privileges import Wanted, reserve_privileges
from services.redemption.use_cases.settle_privilege_uses import Change, settle_privilege_uses
from services.redemption.use_cases.void_receipts import void_receipts
from shared.database import Transaction
from shared.events.purchases import PurchaseEvent, PurchaseRecorded, ReturnRecorded, UsedPrivilege
from shared.ids import new_id
from tests.support.receipts import line, member, purchase, return_of
from tests.support.redemption import Spending

ANNA = member(1)


def using(
    number: int,
    owner: UUID | None = ANNA,
    *,
    privilege_id: str = "tenth",
    amount_minor: int = 100,
    session_id: UUID | None = None,
    contents: int = 0,
    partner_id: str = "grocer",
) -> PurchaseRecorded:
    """A receipt of ten pieces for 900 that a privilege made so much cheaper."""
    lines = [line(1, 900, quantity_thousandths=10_000)]
    event = purchase(number, lines, owner=owner, contents=contents, partner_id=partner_id)
    used = UsedPrivilege(privilege_id=privilege_id, line_id=1 if amount_minor else None, amount_minor=amount_minor)
    data = event.data.model_copy(update={"privileges": (used,), "session_id": session_id})
    return event.model_copy(update={"data": data})


def back(sold: PurchaseRecorded, number: int, quantity_thousandths: int) -> ReturnRecorded:
    """So much of the receipt's line came back."""
    return return_of(sold, number, {1: quantity_thousandths})


async def settle(
    spending: Spending, *events: PurchaseEvent, read_to: datetime | None = None, told: Told | None = None
) -> list[Change]:
    """One batch, as the consumer does it."""
    if voids := [void for event in events if (void := voiding.void_of(event)) is not None]:
        await spending.do(lambda transaction: void_receipts(transaction, voids))
    return await spending.do(lambda transaction: settle_privilege_uses(transaction, told or told_by(events), read_to))


async def standing(spending: Spending) -> list[tuple[int, bool, str | None]]:
    """What is undone of each use, whether nothing is left, and what is against it."""

    async def work(transaction: Transaction) -> list[tuple[int, bool, str | None]]:
        rows = await transaction.raw.fetch(
            "select undone_minor, is_undone, objection from redemption_privilege_uses order by receipt_key"
        )
        return [tuple(row) for row in rows]

    return await spending.do(work)


async def reserve(spending: Spending, programme: Programme, owner: UUID = ANNA, session_id: UUID | None = None) -> UUID:
    session = session_id or new_id()
    wanted = Wanted(Place("grocer"), session, frozenset({"tenth"}), timedelta(minutes=15))
    await spending.do(lambda transaction: reserve_privileges(transaction, Spender(owner), wanted, programme))
    return session
