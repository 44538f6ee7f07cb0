"""From baskets to what tills post: one receipt a partner, with tills, shifts and cashiers derived, always the same way.

The panel has no returns, no cashiers and no fraud. What is added is marked as synthetic, in its reason or its operator.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cli.demo.panel import PARTNER_OF_DEPARTMENT, ZONE, Article, Basket

TILLS_PER_STORE = 3
CASHIERS_PER_SHIFT = 3
RETURN_EVERY = 80
CATEGORY_LENGTH_MAX = 64
SYNTHETIC_CASHIER = "synthetic-cashier"
SYNTHETIC_TILL = "1"
SWIPES_PER_SHIFT = 5
SWIPED_SHIFTS = 2
PARTNERS = ("grocer", "fuel", "pharmacy")

Document = dict[str, Any]


@dataclass(slots=True)
class Play:
    """All documents, in the order in which they are posted, and whose they are."""

    receipts: list[Document] = field(default_factory=list)
    returns: list[Document] = field(default_factory=list)
    fraudulent: list[Document] = field(default_factory=list)

    @property
    def documents(self) -> list[Document]:
        """Everything, a return always after its purchase."""
        return [*self.receipts, *self.fraudulent, *self.returns]


def card_of(household_id: int) -> str:
    """A household's card number."""
    return f"2900{household_id:08d}"


def household_of(document: Document) -> int:
    """Whose card a document bears."""
    return int(document["identifier"]["value"][4:])


def stage_play(baskets: Sequence[Basket], cashier_household: int) -> Play:
    """Every document of the demo. Equal baskets give equal documents."""
    play = Play()
    for basket in baskets:
        for partner_id, articles in sorted(_by_partner(basket.articles).items()):
            receipt = _receipt(basket, partner_id, articles)
            if receipt is None:
                continue
            play.receipts.append(receipt)
            if partner_id == "grocer" and len(play.receipts) % RETURN_EVERY == 0:
                play.returns.append(_return_of(receipt, basket.occurred_at))
    play.fraudulent.extend(_swiped(baskets, cashier_household))
    return play


def stores_of(baskets: Iterable[Basket]) -> dict[str, set[int]]:
    """The stores that each partner's documents come from."""
    stores: dict[str, set[int]] = {partner_id: set() for partner_id in PARTNERS}
    for basket in baskets:
        for partner_id in _by_partner(basket.articles):
            stores[partner_id].add(basket.store_id)
    return stores


def _by_partner(articles: Sequence[Article]) -> dict[str, list[Article]]:
    split: dict[str, list[Article]] = {}
    for article in articles:
        split.setdefault(article.partner_id, []).append(article)
    return split


def _receipt(basket: Basket, partner_id: str, articles: Sequence[Article]) -> Document | None:
    """One partner's part of a basket; nothing where nothing was sold."""
    lines: list[Document] = []
    coupons_left = sum(article.coupon_minor for article in articles)
    for article in articles:
        if article.sales_minor == 0:
            continue  # bottle returns, vouchers: no sale
        discount = min(article.sales_minor, coupons_left)
        coupons_left -= discount
        lines.append(_line(len(lines) + 1, article, discount))
    if not lines:
        return None
    total = sum(line["amount_minor"] for line in lines)
    tender = "cash" if basket.basket_id % 4 == 0 else "card"
    return {
        "type": "purchase",
        "partner_id": partner_id,
        "key": _key(basket.store_id, str(basket.basket_id % TILLS_PER_STORE + 1), basket.occurred_at, basket.basket_id),
        "occurred_at": basket.occurred_at.isoformat(),
        "operator_id": f"cashier-{basket.store_id}-{basket.basket_id % CASHIERS_PER_SHIFT}",
        "currency": "USD",
        "identifier": {"type": "card", "value": card_of(basket.household_id), "entry_method": "scanned"},
        "total_minor": total,
        "lines": lines,
        "tenders": [{"kind": tender, "amount_minor": total}],
    }


def _line(line_id: int, article: Article, discount_minor: int) -> Document:
    # The panel counts fuel in thousandths of a gallon; a weighed article may say 0.
    by_volume = article.department in PARTNER_OF_DEPARTMENT and article.quantity > 1_000
    quantity = f"{article.quantity / 1000:.3f}" if by_volume else str(max(1, article.quantity))
    return {
        "line_id": line_id,
        "sku": str(article.product_id),
        "category": article.department[:CATEGORY_LENGTH_MAX],
        "quantity": quantity,
        "discount_minor": discount_minor,
        "amount_minor": article.sales_minor - discount_minor,
    }


def _key(store_id: int, till_id: str, occurred_at: datetime, number: int) -> Document:
    local = occurred_at.astimezone(ZONE)
    return {
        "scheme": "sequence",
        "store_id": str(store_id),
        "till_id": till_id,
        "business_date": local.date().isoformat(),
        "shift": 1 + local.hour // 8,
        "number": number,
    }


def _return_of(receipt: Document, occurred_at: datetime) -> Document:
    """The first line comes back an hour later."""
    line = receipt["lines"][0]
    original = receipt["key"]
    return {
        "type": "return",
        "partner_id": receipt["partner_id"],
        "key": original | {"number": original["number"] + 10**12},
        "original": original,
        "occurred_at": (occurred_at + timedelta(hours=1)).isoformat(),
        "operator_id": receipt["operator_id"],
        "currency": "USD",
        "identifier": receipt["identifier"],
        "total_minor": line["amount_minor"],
        "lines": [line | {"line_id": 1, "original_line_id": line["line_id"], "discount_minor": 0}],
        "reason": "synthetic-return",
    }


def _swiped(baskets: Sequence[Basket], household_id: int) -> Iterator[Document]:
    """A cashier of the busiest store swipes an own card over other people's purchases, twice a whole shift long."""
    store_id, last = _busiest_store(baskets)
    choice = random.Random(7)  # noqa: S311 -- the same play every time  # nosec B311
    for shift in range(SWIPED_SHIFTS):
        begins = (last - timedelta(days=3 + shift)).replace(hour=17, minute=0, second=0, microsecond=0)
        for swipe in range(SWIPES_PER_SHIFT):
            occurred_at = begins + timedelta(minutes=23 * swipe)
            amount = choice.randrange(2_000, 12_000)
            yield {
                "type": "purchase",
                "partner_id": "grocer",
                "key": _key(store_id, SYNTHETIC_TILL, occurred_at, 2 * 10**12 + 10 * shift + swipe),
                "occurred_at": occurred_at.isoformat(),
                "operator_id": SYNTHETIC_CASHIER,
                "currency": "USD",
                "identifier": {"type": "card", "value": card_of(household_id), "entry_method": "swiped"},
                "total_minor": amount,
                "lines": [
                    {"line_id": 1, "sku": "synthetic", "category": "GROCERY", "quantity": "1", "amount_minor": amount}
                ],
                "tenders": [{"kind": "cash", "amount_minor": amount}],
            }


def _busiest_store(baskets: Sequence[Basket]) -> tuple[int, datetime]:
    visits: dict[int, int] = {}
    for basket in baskets:
        visits[basket.store_id] = visits.get(basket.store_id, 0) + 1
    return max(visits, key=lambda store_id: visits[store_id]), baskets[-1].occurred_at
