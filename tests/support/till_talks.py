"""A till's conversations, each with what it must leave behind, whatever happens to the processes that it talks to.

What is left is counted from what was asked, answered and posted alone. A point pays for a cent.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import TypeAlias
from uuid import UUID

from shared.events.purchases import PurchaseEvent, PurchaseRecorded, Tender
from shared.ids import new_id
from tests.support.receipts import line, purchase, return_of, void_of
from tests.support.redemption import till_receipt
from tests.support.tills import Tills

PARTNER = "grocer"
FUNDS, SPENT, RACED = 100, 20, 60
SOON_SECONDS = 1
PIECES = 2
Post: TypeAlias = Callable[[Sequence[PurchaseEvent]], Awaitable[None]]
Talk: TypeAlias = Callable[[UUID], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Left:
    """What must be left of one redemption: its state and points, what was told of it in this order, and what of it is
    an exception, with the points that were asked for and taken."""

    member_id: UUID
    redemption_id: UUID
    state: str
    told: tuple[str, ...]
    held: int = 0
    captured: int = 0
    refunded: int = 0
    uncovered: int = 0
    exception: tuple[str, int, int] | None = None

    @property
    def gone(self) -> int:
        """What is missing from what is available."""
        return self.held + self.captured - self.refunded


class Talks:
    """Conversations about receipts of one till; ``left`` is what they must leave, and grows as they end."""

    def __init__(self, tills: Tills, post: Post) -> None:
        self._tills = tills
        self._post = post
        self._numbers = count(1)
        self.left: list[Left] = []

    @property
    def of_who_has_points(self) -> tuple[Talk, ...]:
        """Each for a member who may have another one at the same time."""
        return (
            self.paid,
            self.paid_twice,
            self.let_go,
            self.brought_back,
            self.undone,
            self.disputed,
            self.without_a_hold,
            self.given_up,
            self.unfinished,
        )

    async def paid(self, member_id: UUID) -> None:
        """A hold that its receipt takes."""
        held = await self._hold(member_id)
        await self._post([self._sale(member_id, held)])
        self._leave(member_id, held, "captured", "Held", "Captured", captured=SPENT)

    async def paid_twice(self, member_id: UUID) -> None:
        """Capture over HTTP and receipt go out at once."""
        held = await self._hold(member_id)
        sale = self._sale(member_id, held)
        await asyncio.gather(self._capture(held, sale, SPENT), self._post([sale]))
        self._leave(member_id, held, "captured", "Held", "Captured", captured=SPENT)

    async def let_go(self, member_id: UUID) -> None:
        """The member thinks better of it."""
        held = await self._hold(member_id)
        assert (await self._tills.ask(f"redemptions/{held}/void")).status == 200
        self._leave(member_id, held, "voided", "Held", "Voided")

    async def brought_back(self, member_id: UUID) -> None:
        """One of two pieces comes back, which the till says over HTTP and by a return, at once."""
        held = await self._hold(member_id)
        sale, number = self._sale(member_id, held), next(self._numbers)
        await self._post([sale])
        back = return_of(sale, number, {1: 1_000}, owner=member_id)
        refund = {"original": _key(sale), "receipt": _key(number), "points": SPENT // PIECES}
        said, _ = await asyncio.gather(self._tills.ask(f"redemptions/{held}/refund", refund), self._post([back]))
        assert (said.status, said.answer["refund"]["points"]) == (200, SPENT // PIECES), said
        told = ("Held", "Captured", "Refunded")
        self._leave(member_id, held, "captured", *told, captured=SPENT, refunded=SPENT // PIECES)

    async def undone(self, member_id: UUID) -> None:
        """The sale never was: its void overtakes the receipt, or does not."""
        held = await self._hold(member_id)
        sale = self._sale(member_id, held)
        await self._capture(held, sale, SPENT)
        await self._post([void_of(sale, next(self._numbers)), sale])
        self._leave(member_id, held, "captured", "Held", "Captured", "Refunded", captured=SPENT, refunded=SPENT)

    async def disputed(self, member_id: UUID) -> None:
        """The receipt says more than the till had taken."""
        held = await self._hold(member_id)
        sale = self._sale(member_id, held)
        await self._capture(held, sale, SPENT - 5)
        await self._post([sale])
        exception = ("amount_mismatch", SPENT, SPENT - 5)
        self._leave(member_id, held, "captured", "Held", "Captured", captured=SPENT - 5, exception=exception)

    async def without_a_hold(self, member_id: UUID) -> None:
        """A till without a line: its receipt takes what there is, late."""
        unheld = new_id()
        await self._post([self._sale(member_id, unheld)])
        exception = ("late", SPENT, SPENT)
        self._leave(member_id, unheld, "captured", "Captured", captured=SPENT, exception=exception)

    async def given_up(self, member_id: UUID) -> None:
        """A hold that nobody ends but time."""
        held = await self._hold(member_id, expires_in_seconds=SOON_SECONDS)
        self._leave(member_id, held, "expired", "Held", "Expired")

    async def unfinished(self, member_id: UUID) -> None:
        """A hold that is still open in the end."""
        held = await self._hold(member_id)
        self._leave(member_id, held, "held", "Held", held=SPENT)

    async def raced(self, member_id: UUID) -> None:
        """Three tills want more than half of all that there is: one of them gets it, and its receipt takes it."""
        asks = {new_id(): {"member_id": str(member_id), "points": RACED, "partner_id": PARTNER} for _ in range(3)}
        said = await asyncio.gather(
            *(self._tills.ask("redemptions", body | {"redemption_id": str(one)}) for one, body in asks.items())
        )
        answers = dict(zip(asks, said, strict=True))
        assert sorted(one.status for one in said) == [201, 409, 409], said
        for redemption_id, one in answers.items():
            if one.status == 201:
                await self._post([self._sale(member_id, redemption_id, RACED)])
                self._leave(member_id, redemption_id, "captured", "Held", "Captured", captured=RACED)
            else:
                assert one.answer["available"] == FUNDS - RACED, one
                self._leave(member_id, redemption_id, "declined", "Declined")

    async def penniless(self, member_id: UUID) -> None:
        """A receipt of somebody who has nothing: it is the partner's loss."""
        unheld = new_id()
        await self._post([self._sale(member_id, unheld)])
        exception = ("uncovered", SPENT, 0)
        self._leave(member_id, unheld, "captured", "Captured", uncovered=SPENT, exception=exception)

    async def one_batch(self, member_id: UUID) -> list[PurchaseEvent]:
        """Documents that take several transactions, to be posted together: a receipt that HTTP has taken for is voided,
        a piece of another one, without a hold, comes back, and then that one is read."""
        held, unheld = await self._hold(member_id), new_id()
        first, second = self._sale(member_id, held), self._sale(member_id, unheld)
        await self._capture(held, first, SPENT)
        void, back = void_of(first, next(self._numbers)), return_of(second, next(self._numbers), {1: 1_000})
        self._leave(member_id, held, "captured", "Held", "Captured", "Refunded", captured=SPENT, refunded=SPENT)
        points = {"captured": SPENT, "refunded": SPENT // PIECES}
        self._leave(member_id, unheld, "captured", "Captured", "Refunded", **points, exception=("late", SPENT, SPENT))
        return [_of(member_id, document) for document in (void, back, second)]

    async def _hold(self, member_id: UUID, **more: int) -> UUID:
        body = {"member_id": str(member_id), "points": SPENT, "partner_id": PARTNER, **more}
        held = await self._tills.ask("redemptions", body)
        assert (held.status, held.answer["held_points"]) == (201, SPENT), held
        return UUID(held.answer["redemption_id"])

    async def _capture(self, held: UUID, sale: PurchaseRecorded, points: int) -> None:
        taken = await self._tills.ask(f"redemptions/{held}/capture", {"receipt": _key(sale), "points": points})
        assert (taken.status, taken.answer["capture"]["points"]) == (200, points), taken

    def _sale(self, member_id: UUID, redemption_id: UUID, points: int = SPENT) -> PurchaseRecorded:
        return purchase(
            next(self._numbers),
            [line(1, points, quantity_thousandths=PIECES * 1_000)],
            owner=member_id,
            partner_id=PARTNER,
            tenders=(Tender(kind="points", amount_minor=points, redemption_id=redemption_id),),
            occurred_at=datetime.now(UTC),
        )

    def _leave(
        self,
        member_id: UUID,
        redemption_id: UUID,
        state: str,
        *told: str,
        exception: tuple[str, int, int] | None = None,
        **points: int,
    ) -> None:
        self.left.append(Left(member_id, redemption_id, state, told, exception=exception, **points))


def _of(member_id: UUID, document: PurchaseEvent) -> PurchaseEvent:
    """The document with its card: those of one member stand in one partition."""
    return document.model_copy(update={"data": document.data.model_copy(update={"member_id": member_id})})


def _key(receipt: PurchaseRecorded | int) -> dict[str, object]:
    number = receipt if isinstance(receipt, int) else int(receipt.data.content_hash[:32], 16)
    return till_receipt(number).model_dump(mode="json")
