"""Whatever the line does to a till's conversation, it ends as the table in ``tests/support/broken_line.txt`` states."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from services.redemption.api.refusals import DOMAIN_PROBLEMS
from services.redemption.domain.errors import RedemptionError
from services.redemption.domain.goods_return import return_of
from services.redemption.domain.sold_goods import sold_sale_of
from services.redemption.repository import captures, goods_returns, redemptions
from services.redemption.use_cases.capture_hold import capture_hold
from services.redemption.use_cases.expire_holds import expire_holds
from services.redemption.use_cases.hold_points import Held, Spender
from services.redemption.use_cases.project import project_members
from services.redemption.use_cases.settle_returns import settle_returns, take_returns
from services.redemption.use_cases.settle_sales import settle_sales
from services.redemption.use_cases.void_hold import void_hold
from services.redemption.use_cases.void_receipts import void_receipts
from shared import ledger
from shared.database import Transaction
from shared.events.catalogue import REDEMPTIONS
from shared.events.purchases import PurchaseRecorded
from shared.ids import new_id
from tests.support import receipts
from tests.support.broken_line import Conversation, Row, stated_rows
from tests.support.receipts import member
from tests.support.redemption import (
    GROCER,
    PROGRAMME,
    Spending,
    earn,
    enrolled,
    hold_in,
    paid_with_points,
    tender_of,
    till_receipt,
    void_of,
)

SOON = date(2098, 1, 1)
FIRST_LOT, SECOND_LOT, POINTS = 300, 700, 400
HOLD_SECONDS = 900
RETURNS_FROM = 10_000
ENROLLED_AT_ONCE = 100

_LOTS = """
    select lot.remaining
    from ledger_lots as lot join ledger_accounts as account using (account_id)
    where account.owner_id = $1
    order by lot.expires_on nulls last
"""


@dataclass
class Conversing:
    """One till's conversation about one checkout, message by message, each as if in a transaction of its own."""

    transaction: Transaction
    number: int
    redemption_id: UUID = field(default_factory=new_id)

    @property
    def member_id(self) -> UUID:
        return member(self.number)

    async def say(self, message: str) -> str | None:
        """What is answered; None where time passes and nobody asked."""
        said: dict[str, Callable[[], Awaitable[str | None]]] = {
            "hold": self._hold,
            "capture": self._capture,
            "void": self._void,
            "receipt": self._receipt,
            "undo": self._undo,
            "return": self._return,
            "expiry": self._expiry,
        }
        try:
            async with self.transaction.raw.transaction():  # a refused request leaves nothing behind
                return await said[message]()
        except RedemptionError as error:
            return DOMAIN_PROBLEMS[type(error)][1]

    async def _hold(self) -> str:
        held = await hold_in(
            self.transaction, Spender(self.member_id), POINTS, redemption_id=self.redemption_id, seconds=HOLD_SECONDS
        )
        assert isinstance(held, Held)
        return held.redemption.state.value

    async def _capture(self) -> str:
        receipt = till_receipt(self.number)
        captured = await capture_hold(self.transaction, GROCER, self.redemption_id, receipt, POINTS, more=False)
        await self.transaction.write_later()  # the conversation goes on in this transaction
        return f"{captured.redemption.state.value}:{captured.capture.asked_points}"

    async def _void(self) -> str:
        voided = await void_hold(self.transaction, GROCER, self.redemption_id, "points")
        await self.transaction.write_later()
        return f"{voided.redemption.state.value}:{voided.points}"

    async def _receipt(self) -> str:
        sale = sold_sale_of(self.sale, PROGRAMME.point_type)
        assert sale is not None
        report = await settle_sales(self.transaction, [tender_of(self.sale)], [sale], PROGRAMME)
        await settle_returns(self.transaction, report.awaited, PROGRAMME)
        return next(iter(report.tenders.outcomes))

    @property
    def sale(self) -> PurchaseRecorded:
        return paid_with_points(self.number, POINTS, self.redemption_id, owner=self.member_id)

    async def _return(self) -> str:
        goods = return_of(receipts.return_of(self.sale, RETURNS_FROM + self.number, {1: 1000}), "USD")
        assert goods is not None
        report = await take_returns(self.transaction, [goods], PROGRAMME)
        return f"back:{report.refunded_points}"

    async def _undo(self) -> str:
        paid = tender_of(paid_with_points(self.number, POINTS, None, owner=self.member_id))
        given = await void_receipts(self.transaction, [void_of(paid.receipt_key, self.number, POINTS)])
        return f"back:{given}"

    async def _expiry(self) -> None:
        now = self.transaction.now + timedelta(seconds=HOLD_SECONDS)
        self.transaction = replace(self.transaction, now=now)
        assert await expire_holds(self.transaction, now) <= 1
        await settle_returns(self.transaction, await goods_returns.find_due(self.transaction, 9), PROGRAMME)

    async def end(self, arrived: Conversation, answers: list[str]) -> Row:
        """Where it stands once everything has passed."""
        found = await redemptions.find_redemption(self.transaction, self.redemption_id)
        balance = (await ledger.load_balances(self.transaction, [self.member_id], "points"))[self.member_id]
        raw = self.transaction.raw
        first, second = [row["remaining"] for row in await raw.fetch(_LOTS, self.member_id)]
        kinds = await raw.fetch(
            "select kind from redemption_exceptions where redemption_id = $1 order by kind", self.redemption_id
        )
        told = await raw.fetch("delete from outbox returning slot, id, body")
        events = [REDEMPTIONS.read(row["body"]) for row in sorted(told, key=lambda row: (row["slot"], row["id"]))]
        return Row(
            arrived=arrived,
            answers=tuple(answers),
            state="-" if found is None else found.state.value,
            taken=sum([capture.points - capture.refunded_points for capture in await self._captures()]),
            available=balance.available,
            held=balance.held,
            lots=(first, second),
            exceptions=tuple(row["kind"] for row in kinds),
            events=tuple(type(event).__name__.removeprefix("Redemption").lower() for event in events),
        )

    async def _captures(self) -> list[Any]:
        return await captures.load_captures_of(self.transaction, self.redemption_id, 9)


async def enrol(transaction: Transaction, members: list[UUID]) -> None:
    """Have them known, each with points in two lots."""
    await project_members(transaction, [enrolled(one) for one in members])
    lots = ((FIRST_LOT, SOON), (SECOND_LOT, None))
    await ledger.post(transaction, [earn(one, points, day) for one in members for points, day in lots])


async def talk(spending: Spending, number: int, arrived: Conversation) -> Row:
    """One conversation to its end, in one transaction, which is sooner done than one a message."""

    async def work(transaction: Transaction) -> Row:
        till = Conversing(transaction, number)
        answers = [answer for message in arrived if (answer := await till.say(message)) is not None]
        await till.say("expiry")
        return await till.end(arrived, answers)

    return await spending.do(work)


async def test_every_conversation_ends_as_it_is_stated(spending: Spending) -> None:
    stated = stated_rows()
    for start in range(0, len(stated), ENROLLED_AT_ONCE):
        members = [member(number) for number in range(start, min(start + ENROLLED_AT_ONCE, len(stated)))]
        await spending.do(partial(enrol, members=members))

    ended = [await talk(spending, number, row.arrived) for number, row in enumerate(stated)]

    assert [row.written() for row in ended] == [row.written() for row in stated]
