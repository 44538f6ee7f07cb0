"""Plays a made-up life to redemption's real use cases, on a real database, each step in transactions of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import NamedTuple, TypeAlias

import orjson

from services.redemption.api.refusals import DOMAIN_PROBLEMS
from services.redemption.domain.errors import RedemptionError, UnknownRedemptionError
from services.redemption.domain.gifting import GiftIdTakenError, GiftLimits, GiftRefusedError
from services.redemption.domain.goods_return import return_of
from services.redemption.domain.holding import HoldRequest, Paid
from services.redemption.domain.sold_goods import sold_sale_of
from services.redemption.domain.tender import points_tenders
from services.redemption.programme import Programme
from services.redemption.repository import goods_returns, waiting_tenders
from services.redemption.use_cases.capture_hold import capture_hold
from services.redemption.use_cases.expire_holds import expire_holds
from services.redemption.use_cases.give_points import GiftWish, give_points
from services.redemption.use_cases.hold_points import Declined, Spender, hold_points
from services.redemption.use_cases.project import take_in_members
from services.redemption.use_cases.settle_returns import settle_returns, take_returns, tell_unread
from services.redemption.use_cases.settle_sales import settle_sales
from services.redemption.use_cases.settle_tenders import settle_tenders
from services.redemption.use_cases.shrink_hold import shrink_hold
from services.redemption.use_cases.void_hold import void_hold
from services.redemption.use_cases.void_receipts import void_receipts
from shared import ledger
from shared.database import Database, Transaction
from shared.events.purchases import PurchaseRecorded, Tender
from shared.ids import new_id
from shared.web import Answer, Body, idempotent
from shared.web.keyed_requests import KeyedRequest
from tests.support import redemption_steps as life
from tests.support.pooling import Place, belongs, household
from tests.support.receipts import line, purchase
from tests.support.receipts import return_of as returned
from tests.support.redemption import GROCER, PROGRAMME, enrolled, till_receipt, void_of
from tests.support.redemption_names import POINTS, RETURNS_FROM, VOIDS_FROM, Names

FIRST_MOMENT = datetime(2026, 2, 20, 12, tzinfo=UTC)
WAITING_MAX = 100
NO_LIMITS = GiftLimits(10**6, 10**6, 10**6)

Work: TypeAlias = Callable[[Transaction], Awaitable[str]]
Asked: TypeAlias = life.Hold | life.Capture | life.Void | life.Shrink

# What was not found may be there a moment later, and then the same request is another one.
HOT = ("Hold", "Capture", "Void")
NOT_KEPT: dict[type[RedemptionError], str] = {UnknownRedemptionError: "not-found"}


class Said(Body):
    """An answer, in words."""

    words: str


class Repeated(NamedTuple):
    """A request that was sent again under its key: what was answered at first, and now."""

    step: Asked
    first: str
    now: str


@dataclass(slots=True)
class Played:
    """A life that is being played. ``requests`` are those that bear a key, with what was answered."""

    database: Database
    lived: life.Life
    names: Names
    now: datetime = FIRST_MOMENT
    requests: list[tuple[KeyedRequest, Asked, str]] = field(default_factory=list)

    @property
    def programme(self) -> Programme:
        """What is set for this life."""
        return replace(PROGRAMME, came_back_days=self.lived.came_back_days, members_owe=self.lived.members_owe)

    async def begin(self) -> None:
        """Have everybody known, and who lives together."""
        members = self.names.members
        together = [members[one] for one in self.names.household]
        events = [enrolled(member_id) for member_id in members]
        if self.lived.is_household:
            home = new_id()
            told = household(1, *(Place(member_id) for member_id in together), household_id=home)
            events += [*(belongs(member_id, 2, home) for member_id in together), told]  # type: ignore[list-item]
        await self.database.run(lambda transaction: take_in_members(transaction, events, [POINTS]))

    async def take(self, step: life.Single) -> str:
        """What is answered."""
        match step:
            case life.Hold() | life.Capture() | life.Void() | life.Shrink():
                return await self._ask(step)
            case life.Receipt():
                return await self._do(partial(self._receipt, step))
            case life.Undo(receipt):
                return await self._do(partial(self._undo, receipt))
            case life.Return(number):
                return await self._do(partial(self._return, number))
            case life.Gift():
                return await self._give(step)
            case life.Expire(hours_behind):
                read_to = self.now - timedelta(hours=hours_behind)
                return await self._do(partial(self._expire, read_to))
            case life.Sweep():
                return await self._sweep()
            case _:
                raise AssertionError(f"not redemption's: {step}")

    async def again(self, back: int) -> Repeated | None:
        """One of the last requests is sent again; None where there was none."""
        if not self.requests:
            return None
        place = -1 - back % len(self.requests)
        request, step, first = self.requests[place]
        now = await self._keyed(request, self._work(step))
        self.requests[place] = (request, step, now)
        return Repeated(step, first, now)

    async def at_once(self, steps: Sequence[life.Single], turns: Sequence[int]) -> list[str]:
        """What is answered to each, all on connections of their own at the same time."""

        async def after(step: life.Single, waiting: int) -> str:
            for _ in range(waiting):
                await asyncio.sleep(0)
            return await self.take(step)

        return await asyncio.gather(*(after(step, waiting) for step, waiting in zip(steps, turns, strict=True)))

    def as_of(self, transaction: Transaction) -> Transaction:
        """In the life's own time, whatever the server's clock says."""
        return replace(transaction, now=self.now, zone=UTC)

    async def _do(self, work: Work) -> str:
        return await self.database.run(lambda transaction: work(self.as_of(transaction)))

    async def _ask(self, step: Asked) -> str:
        request = KeyedRequest(new_id().hex, "POST", type(step).__name__, DOMAIN_PROBLEMS)
        said = await self._keyed(request, self._work(step))
        self.requests.append((request, step, said))
        return said

    def _work(self, step: Asked) -> Work:
        match step:
            case life.Hold():
                return partial(self._hold, step)
            case life.Capture():
                return partial(self._capture, step)
            case life.Void(redemption):
                return partial(self._void, redemption)
            case life.Shrink():
                return partial(self._shrink, step)

    async def _keyed(self, request: KeyedRequest, work: Work) -> str:
        async def answer(transaction: Transaction) -> Answer:
            return Answer(200, Said(words=await work(self.as_of(transaction))))

        is_hot = request.path in HOT
        try:
            response = await idempotent(self.database, GROCER, request, None, answer, is_hot=is_hot)
        except RedemptionError as error:  # it may pass, so nothing is kept of it
            return NOT_KEPT[type(error)]
        body: dict[str, str] = orjson.loads(response.body)
        return body["words"] if response.status_code == 200 else body["type"].rpartition("/")[2]

    async def _hold(self, step: life.Hold, transaction: Transaction) -> str:
        request = HoldRequest(
            GROCER.partner_id or "",
            step.points,
            self.names.end_of(step.redemption, transaction.now),
            is_taken_in_parts=step.is_taken_in_parts,
        )
        spender, redemption_id = Spender(self.names.members[step.member]), self.names.redemptions[step.redemption]
        match await hold_points(transaction, spender, request, self.programme, redemption_id):
            case Declined(decline=decline, available=available):
                return f"{decline.reason.replace('_', '-')} {available}"
            case Paid():
                return "already-captured"
            case held:
                return f"held {held.redemption.open_points}"

    async def _capture(self, step: life.Capture, transaction: Transaction) -> str:
        captured = await capture_hold(
            transaction,
            GROCER,
            self.names.redemptions[step.redemption],
            till_receipt(self.names.first_receipt + step.receipt),
            step.points,
            more=step.more,
            came_back_days=self.lived.came_back_days,
        )
        redemption = captured.redemption
        return f"took {captured.capture.points} of {redemption.state}, {redemption.open_points} left"

    async def _void(self, redemption: int, transaction: Transaction) -> str:
        days = self.lived.came_back_days
        redemption_id = self.names.redemptions[redemption]
        voided = await void_hold(transaction, GROCER, redemption_id, POINTS, came_back_days=days)
        return f"voided {voided.points}"

    async def _shrink(self, step: life.Shrink, transaction: Transaction) -> str:
        days, redemption_id = self.lived.came_back_days, self.names.redemptions[step.redemption]
        shrunk = await shrink_hold(transaction, GROCER, redemption_id, step.points, came_back_days=days)
        return f"let go {shrunk.points}"

    def event_of(self, step: life.Receipt) -> PurchaseRecorded:
        """A receipt's event."""
        document = self.lived.documents[step.receipt]
        tenders = [
            Tender(kind="points", amount_minor=points, redemption_id=self.names.redemptions[redemption])
            for redemption, points in document.paid
        ]
        is_known = step.is_known and document.member is not None
        owner = self.names.members[document.member or 0] if is_known else None
        lines = [
            line(number, amount_minor, quantity_thousandths=1000 * pieces)
            for number, (amount_minor, (pieces, _)) in enumerate(
                zip(document.amounts_minor, document.lines, strict=True), start=1
            )
        ]
        return purchase(self.names.first_receipt + step.receipt, lines, owner=owner, tenders=tenders)

    async def _receipt(self, step: life.Receipt, transaction: Transaction) -> str:
        event, programme = self.event_of(step), self.programme
        sale = sold_sale_of(event, programme.point_type)
        assert sale is not None
        tenders = points_tenders(event, programme.pricing)
        report = await settle_sales(transaction, tenders, [sale], programme)
        return " ".join(sorted(report.tenders.outcomes.elements()))

    async def settle_returns(self, receipt: int) -> str:
        """What a consumer does after it has read a receipt of which goods came back before."""
        return await self._do(partial(self._settle_returns, [self.names.receipt_keys[receipt]]))

    async def _settle_returns(self, receipt_keys: Sequence[bytes], transaction: Transaction) -> str:
        return f"back {(await settle_returns(transaction, receipt_keys, self.programme)).refunded_points}"

    async def _return(self, number: int, transaction: Transaction) -> str:
        goods = self.lived.returns[number]
        lines = {place: 1000 * pieces for place, pieces in enumerate(goods.pieces, start=1) if pieces}
        sale = self.event_of(life.Receipt(goods.receipt))
        event = returned(sale, RETURNS_FROM + self.names.first_receipt + number, lines)
        document = return_of(event, self.programme.pricing.currency)
        assert document is not None
        return f"back {(await take_returns(transaction, [document], self.programme)).refunded_points}"

    async def _undo(self, receipt: int, transaction: Transaction) -> str:
        number = VOIDS_FROM + self.names.first_receipt + receipt
        void = void_of(self.names.receipt_keys[receipt], number, sum(self.lived.documents[receipt].amounts_minor))
        void = replace(void, void_key=self.names.void_keys[receipt])
        return f"back {await void_receipts(transaction, [void], came_back_days=self.lived.came_back_days)}"

    async def _give(self, step: life.Gift) -> str:
        giver_id, receiver = self.names.members[step.giver], Spender(self.names.members[step.receiver])
        wish = GiftWish(self.names.gifts[step.number], giver_id, receiver, POINTS, step.points, "app")
        try:
            return await self._do(partial(self._given, wish))
        except GiftIdTakenError:
            return "gift-id-taken"
        except GiftRefusedError as error:
            return error.reason if error.points_max is None else f"{error.reason} {error.points_max}"

    async def _given(self, wish: GiftWish, transaction: Transaction) -> str:
        return f"given {(await give_points(transaction, wish, NO_LIMITS, self.programme)).gift.points}"

    async def _expire(self, read_to: datetime, transaction: Transaction) -> str:
        return f"expired {await expire_holds(transaction, read_to, came_back_days=self.lived.came_back_days)}"

    async def _sweep(self) -> str:
        said = await self._do(self._sweep_tenders)
        async with self.database.transaction() as transaction:
            due = await goods_returns.find_due(transaction, WAITING_MAX)
        back = await self._do(partial(self._settle_returns, due)) if due else "back 0"
        await self._do(_tell_unread)
        return f"{said}, {back}"

    async def _sweep_tenders(self, transaction: Transaction) -> str:
        ready = await waiting_tenders.load_ready(transaction, WAITING_MAX)
        programme = self.programme
        report = await settle_tenders(
            transaction,
            ready,
            programme.pricing,
            came_back_days=programme.came_back_days,
            owes=programme.members_owe,
        )
        return " ".join(sorted(report.outcomes.elements()))

    async def post(self, commands: Sequence[ledger.Command]) -> None:
        """What others do to the ledger."""
        await self._do(partial(_posted, commands))


async def _posted(commands: Sequence[ledger.Command], transaction: Transaction) -> str:
    await ledger.post(transaction, commands)
    return ""


async def _tell_unread(transaction: Transaction) -> str:
    return " ".join(await tell_unread(transaction, WAITING_MAX))
