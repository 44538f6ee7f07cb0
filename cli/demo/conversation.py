"""One member at a till, step by step, in words: checkout, hold, receipt, a return, a hold that is let go, a reward."""

import asyncio
import time
import uuid
from datetime import UTC, datetime
from typing import Any, NamedTuple

from cli.demo.api import Api
from cli.demo.documents import Document, card_of
from cli.errors import CommandError

SHIFT = 8  # the panel's shifts are 1 to 3, and spending has one of its own
HEARD_SECONDS_MAX = 30.0
LOOK_SECONDS = 0.1
REWARD = "coffee-pot"
REWARD_POINTS = 120
HELD_POINTS = 300  # of what the basket could take: the rest is paid with money, and earns
LET_GO_POINTS = 100
POINTS_NEEDED = HELD_POINTS + max(REWARD_POINTS, LET_GO_POINTS)
PRICES_MINOR = (349, 520)  # of the basket's lines: what is kept, and what comes back


class Step(NamedTuple):
    """What was done, and what the member or the till was told."""

    what: str
    told: str


class Guest(NamedTuple):
    """Who is at the till, and a receipt of an earlier visit, whose store and till it is."""

    member_id: str
    household: int
    visited: Document


async def converse(api: Api, guest: Guest) -> list[Step]:
    """Play the conversation at the grocer's, and the reward at the pharmacy's; what happened, in order.

    Raises:
        CommandError: a step did not end as it should.
    """
    till = _Till(api, guest)
    await till.offer_reward()
    return [
        await till.check_out(),
        await till.hold(),
        await till.pay(),
        await till.take_back(),
        await till.let_go(),
        *await till.give_reward(),
        Step("Balance", _points_of(await till.balance())),
    ]


class _Till:
    """The till's side of it: what it remembers from step to step."""

    def __init__(self, api: Api, guest: Guest) -> None:
        self._api = api
        self._guest = guest
        self._checkout: dict[str, Any] = {}
        self._redemption_id = ""
        self._points = 0

    async def offer_reward(self) -> None:
        """The programme's side, the day before: what it has for points."""
        terms = {"partner_id": "pharmacy", "titles": {"en": "A coffee pot"}, "points": REWARD_POINTS}
        await self._api.post("redemption", "/v1/rewards", {"reward_id": REWARD, "terms": terms})
        await self._api.post("redemption", f"/v1/rewards/{REWARD}/pieces:add", {"count": 5})

    async def check_out(self) -> Step:
        key = self._guest.visited["key"]
        body = {
            "identifier": {"type": "card", "value": card_of(self._guest.household)},
            "partner_id": "grocer",
            "store_id": key["store_id"],
            "till_id": key["till_id"],
            "lines": [line | {"amount_minor": price} for line, price in zip(_LINES, PRICES_MINOR, strict=True)],
        }
        self._checkout = await self._api.post("redemption", "/v1/checkouts", body)
        spend, name = self._checkout["spend"], self._checkout["name"]
        if spend is None or name is None:
            raise CommandError(f"the checkout lacked a part: {self._checkout['absent']}")
        who = f"{name['given_name']} {name['family_initial']}."
        return Step(
            f"Checkout: the card and a basket of {_money(sum(PRICES_MINOR))}",
            f"the cashier reads “{who}”; points may pay {_money(spend['value_minor'])}. On the receipt: “"
            f"{self._checkout['message']}”",
        )

    async def hold(self) -> Step:
        spend = self._checkout["spend"]
        self._points = min(spend["points"], HELD_POINTS)
        self._redemption_id = str(uuid.uuid4())
        body = {
            "redemption_id": self._redemption_id,
            "identifier": {"type": "card", "value": card_of(self._guest.household)},
            "partner_id": "grocer",
            "store_id": self._guest.visited["key"]["store_id"],
            "points": self._points,
            "quote_id": spend["quote_id"],
            "session_id": self._checkout["session_id"],
        }
        held = await self._api.post("redemption", "/v1/redemptions", body)
        return Step(
            f"Hold: {held['held_points']:,} points, at the quoted price",
            f"they pay {_money(held['value_minor'])}; {held['balance']['available']:,} points are left to spend",
        )

    async def pay(self) -> Step:
        total, paid = sum(PRICES_MINOR), self._value_minor()
        answer = await self._api.post("accrual", "/v1/receipts", self._receipt(1, paid), prefer="wait=20")
        capture = await self._until_captured("points", self._points)
        return Step(
            f"Capture: the receipt of {_money(total)}, {_money(paid)} of it paid with points",
            f"takes the {capture['points']:,} points that were held, once; what was paid with money earns"
            f" {answer['points']:,}",
        )

    async def take_back(self) -> Step:
        back = {**_LINES[1], "line_id": 1, "original_line_id": 2, "quantity": "1", "amount_minor": PRICES_MINOR[1]}
        document = self._receipt(2, 0) | {
            "type": "return",
            "original": self._receipt(1, 0)["key"],
            "total_minor": PRICES_MINOR[1],
            "lines": [back],
            "tenders": [],
        }
        answer = await self._api.post("accrual", "/v1/receipts", document, prefer="wait=20")
        decided = await self._api.get("accrual", f"/v1/receipts/{answer['receipt_id']}")
        capture = await self._until_captured("refunded_points", 1)
        return Step(
            f"Return: the second line, {_money(PRICES_MINOR[1])}",
            f"brings back {capture['refunded_points']:,} of the points that had paid, to the lots that they came from,"
            f" and takes {decided['returned']['points']:,} of those that were earned",
        )

    async def let_go(self) -> Step:
        before = await self.balance()
        body = {"member_id": self._guest.member_id, "points": LET_GO_POINTS, "partner_id": "grocer"}
        held = await self._api.post("redemption", "/v1/redemptions", body)
        voided = await self._api.post("redemption", f"/v1/redemptions/{held['redemption_id']}/void", {})
        if voided["balance"]["available"] != before["available"]:
            raise CommandError(f"a void gave back other than was held: {before} before, {voided['balance']} after")
        return Step(
            f"Void: another hold, of {LET_GO_POINTS} points, and the member thinks better of it",
            f"all {voided['released_points']:,} are back, with their own dates",
        )

    async def give_reward(self) -> list[Step]:
        body = {"voucher_id": str(uuid.uuid4()), "member_id": self._guest.member_id}
        issued = await self._api.post("redemption", f"/v1/rewards/{REWARD}/issue", body)
        receipt = {"scheme": "document", "source": "till", "number": "coffee-pot-1"}
        shown = {"code": issued["code"], "partner_id": "pharmacy", "receipt": receipt}
        used = await self._api.post("redemption", "/v1/vouchers:use", shown)
        return [
            Step(
                f"Reward: a coffee pot for {issued['points']:,} points",
                f"the member gets the code {issued['code']}; the points are reserved until it is used",
            ),
            Step(
                "The code at the pharmacy's till", f"is {used['state']}, once for ever, and its points are spent there"
            ),
        ]

    async def balance(self) -> dict[str, Any]:
        balances = await self._api.get("redemption", f"/v1/members/{self._guest.member_id}/balance")
        found: dict[str, Any] = balances["balances"][0]
        return found

    def _value_minor(self) -> int:
        spend = self._checkout["spend"]
        return int(self._points * spend["value_minor"] // spend["points"])

    def _receipt(self, number: int, by_points_minor: int) -> Document:
        total = sum(PRICES_MINOR)
        points = {"kind": "points", "amount_minor": by_points_minor, "redemption_id": self._redemption_id}
        return self._guest.visited | {
            "key": self._guest.visited["key"] | {"shift": SHIFT, "number": number},
            "occurred_at": datetime.now(UTC).isoformat(),
            "session_id": self._checkout["session_id"],
            "total_minor": total,
            "lines": [
                line | {"quantity": "1", "amount_minor": price}
                for line, price in zip(_LINES, PRICES_MINOR, strict=True)
            ],
            "tenders": [points, {"kind": "card", "amount_minor": total - by_points_minor}],
        }

    async def _until_captured(self, what: str, points: int) -> dict[str, Any]:
        """The capture of this conversation's redemption, once it says at least so many points: receipts are read from
        the log, a moment after the door has taken them."""
        deadline = time.monotonic() + HEARD_SECONDS_MAX
        while time.monotonic() < deadline:
            found = await self._api.get("redemption", f"/v1/redemptions/{self._redemption_id}")
            for capture in found["captures"]:
                if capture[what] >= points:
                    taken: dict[str, Any] = capture
                    return taken
            await asyncio.sleep(LOOK_SECONDS)
        raise CommandError(f"redemption {self._redemption_id} said no {what} within {HEARD_SECONDS_MAX:.0f} s")


_LINES = (
    {"line_id": 1, "sku": "coffee", "category": "GROCERY"},
    {"line_id": 2, "sku": "filter-papers", "category": "GROCERY"},
)


def _points_of(balance: dict[str, Any]) -> str:
    return f"{balance['available']:,} points to spend, {balance['held']:,} held, {balance['debt']:,} owed"


def _money(amount_minor: int) -> str:
    return f"{amount_minor / 100:,.2f} USD"
