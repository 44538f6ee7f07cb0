"""Privileges that purchases entitle to: what a receipt bought of them, and whether that stands after returns. Pure.

As with uses, purchases, returns and voids come in any order: what stands follows from all that was read by then.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Final
from uuid import UUID

from services.redemption.domain.privileges.life import Privilege
from services.redemption.domain.privileges.terms import ForPurchase
from services.redemption.domain.tender import UnusableReceiptError
from services.redemption.domain.write_off.quoting import THOUSANDTHS
from shared.events.purchases import ExchangeRecorded, PurchaseEvent, PurchaseLine, PurchaseRecorded, SettlementKind
from shared.receipt_key import natural_key_of, partner_of

# Every worker knows by then of what two people agreed on: which receipts entitle does not hang on who read them.
KNOWN_AFTER: Final = timedelta(minutes=1)
# Goods that are handed over: what is paid ahead or afterwards would count twice.
_HANDED_OVER: Final[frozenset[SettlementKind | None]] = frozenset({None, "full", "credit"})


@dataclass(frozen=True, slots=True)
class BoughtLine:
    """Goods that count."""

    line_id: int
    quantity_thousandths: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Bought:
    """What a receipt has of the goods that entitle to a privilege, to the end of ``last_day``."""

    receipt_key: bytes
    privilege_id: str
    content_hash: str
    partner_id: str
    member_id: UUID | None
    bought_at: datetime
    last_day: date
    lines: tuple[BoughtLine, ...]
    is_undone: bool = False


def is_earned_by_purchases(privilege: Privilege) -> bool:
    """Whether purchases entitle to it, now or later."""
    return (
        privilege.state == "approved"
        and privilege.ended_at is None
        and isinstance(privilege.terms.entitlement, ForPurchase)
    )


def may_entitle(event: PurchaseEvent, privileges: Iterable[Privilege]) -> bool:
    """Whether its partner is one of those whose goods entitle to one of these, and the till was not in training."""
    if not isinstance(event, PurchaseRecorded | ExchangeRecorded) or event.data.is_training:
        return False
    kinds = (one.terms.entitlement for one in privileges)
    return any(isinstance(kind, ForPurchase) and event.data.partner_id in kind.partners for kind in kinds)


def bought_of(
    event: PurchaseRecorded | ExchangeRecorded,
    privileges: Iterable[Privilege],
    counts_as: Mapping[str, frozenset[str]],
    zone: tzinfo,
) -> list[Bought]:
    """To which privileges a receipt entitles; ``counts_as`` says what the partner's categories count as.

    Raises:
        MalformedReceiptIdError: the receipt id is not one of ours.
        UnusableReceiptError: it is another partner's.
    """
    data = event.data
    key = natural_key_of(data.receipt_id)
    if partner_of(key) != data.partner_id:
        raise UnusableReceiptError("the receipt id is another partner's")
    day = data.occurred_at.astimezone(zone).date()
    found = []
    for privilege in privileges:
        kind = privilege.terms.entitlement
        if not isinstance(kind, ForPurchase) or data.partner_id not in kind.partners:
            continue
        if not privilege.is_given(data.occurred_at, day) or not _was_known(privilege, data.occurred_at):
            continue
        lines = _lines(data.lines, kind, counts_as)
        bought = Bought(
            key,
            privilege.terms.privilege_id,
            data.content_hash,
            data.partner_id,
            data.member_id,
            data.occurred_at,
            day + timedelta(days=kind.days),
            lines,
        )
        if entitles(bought, kind, {}):
            found.append(bought)
    return found


def entitles(bought: Bought, kind: ForPurchase, returned: Mapping[int, int]) -> bool:
    """Whether what is left of the goods is enough; ``returned`` are thousandths of a unit by line."""
    units = amount_minor = 0
    for line in bought.lines:
        left = max(0, line.quantity_thousandths - returned.get(line.line_id, 0))
        units += left
        amount_minor += line.amount_minor * left // line.quantity_thousandths
    return units > 0 and units >= (kind.units_min or 0) * THOUSANDTHS and amount_minor >= (kind.amount_min_minor or 0)


def _was_known(privilege: Privilege, moment: datetime) -> bool:
    return privilege.approved_at is not None and moment >= privilege.approved_at + KNOWN_AFTER


def _is_meant(line: PurchaseLine, kind: ForPurchase, counts_as: Mapping[str, frozenset[str]]) -> bool:
    if kind.skus is not None and line.sku in kind.skus:
        return True
    if kind.categories is None or line.category is None:
        return False
    return not counts_as.get(line.category, frozenset({line.category})).isdisjoint(kind.categories)


def _lines(
    lines: Sequence[PurchaseLine], kind: ForPurchase, counts_as: Mapping[str, frozenset[str]]
) -> tuple[BoughtLine, ...]:
    return tuple(
        BoughtLine(line.line_id, line.quantity_thousandths, line.amount_minor)
        for line in lines
        if line.quantity_thousandths > 0 and line.settlement in _HANDED_OVER and _is_meant(line, kind, counts_as)
    )
