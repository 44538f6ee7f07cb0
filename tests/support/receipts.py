"""Documents for tests: short to write, valid unless a test says otherwise."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from services.accrual.domain.decisions import Document
from services.accrual.domain.purchase_event import purchase_event_id
from services.accrual.domain.rules import Condition, Multiplier, PointsPerAmount, Rule, RuleSet
from shared.events.members import IdentifierData, IdentifierLinked, MemberData, MemberEnrolled, MembersMerged, MergeData
from shared.events.purchases import (
    CorrectionData,
    ExchangeData,
    ExchangeRecorded,
    PurchaseData,
    PurchaseEvent,
    PurchaseLine,
    PurchaseRecorded,
    ReceiptCorrected,
    ReceiptVoided,
    ReturnData,
    ReturnLine,
    ReturnRecorded,
    SettlementKind,
    Tender,
    VoidData,
)
from shared.ids import IdentifierKey, IdentifierType, hash_identifier, new_id
from shared.receipt_key import SequenceKey, encode_receipt_key, receipt_id_of

NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
IDENTIFIER_KEY = IdentifierKey(1, bytes(range(32)))
_MEMBERS = UUID("0b7c2f0e-5f5e-4f1c-9e0a-2f8f6f0a3b11")

RULES = RuleSet(
    version=1,
    effective_from=datetime(2020, 1, 1, tzinfo=UTC),
    rules=(
        Rule(
            id="base",
            name="One point a dollar",
            condition=Condition(partners=("grocer",)),
            effect=PointsPerAmount(points=1, step_minor=100),
        ),
        Rule(
            id="fuel",
            name="Two points a dollar of fuel",
            condition=Condition(partners=("fuel",)),
            effect=PointsPerAmount(points=2, step_minor=100),
        ),
        Rule(
            id="produce",
            name="Double points on produce",
            condition=Condition(partners=("grocer",), categories=("PRODUCE",)),
            effect=Multiplier(percent=200),
        ),
    ),
)


def changed_rules(**changes: object) -> RuleSet:
    """The rules with some fields replaced."""
    return RuleSet.model_validate(RULES.model_dump() | changes)


def member(number: int) -> UUID:
    """The same member for the same number."""
    return uuid5(_MEMBERS, str(number))


def card(number: int) -> str:
    """The hash of the number's card."""
    return hash_identifier(IdentifierType.CARD, f"{number:012d}", IDENTIFIER_KEY)


def line(
    line_id: int,
    amount_minor: int,
    category: str = "GROCERY",
    quantity_thousandths: int = 1000,
    settlement: SettlementKind | None = None,
) -> PurchaseLine:
    """One line of a purchase."""
    return PurchaseLine(
        line_id=line_id,
        sku=f"sku-{line_id}",
        category=category,
        quantity_thousandths=quantity_thousandths,
        amount_minor=amount_minor,
        settlement=settlement,
    )


def purchase(
    number: int,
    lines: Sequence[PurchaseLine] | int,
    *,
    owner: UUID | None = None,
    identifier_hash: str | None = None,
    partner_id: str = "grocer",
    till_id: str = "1",
    tenders: Sequence[Tender] = (),
    occurred_at: datetime = NOON,
    is_training: bool = False,
    contents: int = 0,
    prepaid: Sequence[PurchaseRecorded] = (),
) -> PurchaseRecorded:
    """A purchase; ``contents`` tells documents of one key apart, ``prepaid`` are those in which it was paid ahead."""
    rows = (line(1, lines),) if isinstance(lines, int) else tuple(lines)
    receipt_id = _receipt_id(partner_id, till_id, number)
    content_hash = f"{number:032x}{contents:032x}"
    return PurchaseRecorded(
        id=purchase_event_id(receipt_id, content_hash, owner),
        source="test",
        subject=receipt_id,
        time=occurred_at,
        data=PurchaseData(
            receipt_id=receipt_id,
            content_hash=content_hash,
            partner_id=partner_id,
            store_id="s1",
            till_id=till_id,
            member_id=owner,
            identifier_hash=identifier_hash,
            occurred_at=occurred_at,
            received_at=datetime.now(UTC),
            currency="USD",
            total_minor=sum(row.amount_minor for row in rows),
            tenders=tuple(tenders),
            is_training=is_training,
            lines=rows,
            prepaid_receipt_ids=tuple(one.data.receipt_id for one in prepaid) or None,
        ),
    )


def return_of(
    original: PurchaseRecorded | ExchangeRecorded, number: int, lines: dict[int, int], *, owner: UUID | None = None
) -> ReturnRecorded:
    """A return of ``original``; ``lines`` are quantities in thousandths by original line."""
    data = original.data
    receipt_id = _receipt_id(data.partner_id, data.till_id, number)
    content_hash = f"{number:064x}"
    bought = {row.line_id: row for row in data.lines}
    rows = tuple(
        ReturnLine(
            line_id=index + 1,
            sku=bought[line_id].sku if line_id in bought else "unknown",
            quantity_thousandths=quantity,
            amount_minor=0,
            original_line_id=line_id,
        )
        for index, (line_id, quantity) in enumerate(lines.items())
    )
    return ReturnRecorded(
        id=purchase_event_id(receipt_id, content_hash, owner),
        source="test",
        subject=receipt_id,
        time=data.occurred_at,
        data=ReturnData(
            receipt_id=receipt_id,
            content_hash=content_hash,
            partner_id=data.partner_id,
            store_id=data.store_id,
            till_id=data.till_id,
            member_id=owner,
            occurred_at=data.occurred_at,
            received_at=datetime.now(UTC),
            currency="USD",
            total_minor=0,
            original_receipt_id=data.receipt_id,
            lines=rows,
        ),
    )


def unlinked_return(
    number: int,
    lines: Sequence[PurchaseLine] | int,
    *,
    owner: UUID | None = None,
    identifier_hash: str | None = None,
    partner_id: str = "grocer",
    occurred_at: datetime = NOON,
) -> ReturnRecorded:
    """A return that names no purchase."""
    sold = purchase(
        number, lines, owner=owner, identifier_hash=identifier_hash, partner_id=partner_id, occurred_at=occurred_at
    )
    rows = tuple(ReturnLine(**row.model_dump(), original_line_id=row.line_id) for row in sold.data.lines)
    data = ReturnData.model_validate(sold.data.model_dump(exclude={"lines"}) | {"lines": rows})
    return ReturnRecorded(id=sold.id, source="test", subject=sold.subject, time=occurred_at, data=data)


def exchange_of(
    original: PurchaseRecorded | ExchangeRecorded,
    number: int,
    returned: dict[int, int],
    lines: Sequence[PurchaseLine] | int,
    *,
    owner: UUID | None = None,
    identifier_hash: str | None = None,
    tenders: Sequence[Tender] = (),
    occurred_at: datetime | None = None,
    contents: int = 0,
) -> ExchangeRecorded:
    """Goods of ``original`` (thousandths by line) for others, with one payment of what these cost more."""
    came_back = return_of(original, number, returned, owner=owner)
    rows = (line(1, lines),) if isinstance(lines, int) else tuple(lines)
    bought = {row.line_id: row for row in original.data.lines}
    back = tuple(_worth(row, bought.get(row.original_line_id)) for row in came_back.data.lines)
    said = came_back.data.model_dump(exclude={"lines", "total_minor", "tenders", "content_hash", "identifier_hash"})
    content_hash = f"{number:032x}{contents:032x}"
    data = ExchangeData(
        **said | {"occurred_at": occurred_at or original.data.occurred_at},
        content_hash=content_hash,
        identifier_hash=identifier_hash,
        total_minor=sum(row.amount_minor for row in rows) - sum(row.amount_minor for row in back),
        tenders=tuple(tenders),
        lines=rows,
        returned_lines=back,
    )
    return ExchangeRecorded(
        id=purchase_event_id(data.receipt_id, content_hash, owner),
        source="test",
        subject=data.receipt_id,
        time=data.occurred_at,
        data=data,
    )


def _worth(row: ReturnLine, bought: PurchaseLine | None) -> ReturnLine:
    amount = bought.amount_minor * row.quantity_thousandths // bought.quantity_thousandths if bought is not None else 0
    return row.model_copy(update={"amount_minor": amount})


def void_of(
    original: PurchaseRecorded | ExchangeRecorded | ReturnRecorded, number: int, *, total_minor: int | None = None
) -> ReceiptVoided:
    """A void of ``original``."""
    data = original.data
    receipt_id = _receipt_id(data.partner_id, data.till_id, number)
    content_hash = f"{number:064x}"
    return ReceiptVoided(
        id=purchase_event_id(receipt_id, content_hash, None),
        source="test",
        subject=receipt_id,
        time=data.occurred_at,
        data=VoidData(
            receipt_id=receipt_id,
            content_hash=content_hash,
            partner_id=data.partner_id,
            store_id=data.store_id,
            till_id=data.till_id,
            occurred_at=data.occurred_at,
            received_at=datetime.now(UTC),
            currency="USD",
            total_minor=data.total_minor if total_minor is None else total_minor,
            original_receipt_id=data.receipt_id,
        ),
    )


def correction_of(
    original: PurchaseRecorded,
    number: int,
    lines: Sequence[PurchaseLine] | int,
    *,
    owner: UUID | None = None,
    identifier_hash: str | None = None,
    minutes_later: int = 1,
    **said: Any,
) -> ReceiptCorrected:
    """A correction of ``original``, made so many minutes after it; ``said`` replaces what it says else."""
    data = original.data
    rows = (line(1, lines),) if isinstance(lines, int) else tuple(lines)
    receipt_id = _receipt_id(data.partner_id, data.till_id, number)
    content_hash = f"{number:064x}"
    corrected: dict[str, Any] = {
        "receipt_id": receipt_id,
        "content_hash": content_hash,
        "partner_id": data.partner_id,
        "store_id": data.store_id,
        "till_id": data.till_id,
        "member_id": owner,
        "identifier_hash": identifier_hash,
        "occurred_at": data.occurred_at + timedelta(minutes=minutes_later),
        "received_at": datetime.now(UTC),
        "currency": "USD",
        "total_minor": sum(row.amount_minor for row in rows),
        "tenders": data.tenders,
        "original_receipt_id": data.receipt_id,
        "original_total_minor": data.total_minor,
        "reason": "mistyped",
        "lines": rows,
    }
    return ReceiptCorrected(
        id=purchase_event_id(receipt_id, content_hash, owner),
        source="test",
        subject=receipt_id,
        time=data.occurred_at,
        data=CorrectionData(**(corrected | said)),
    )


def document(event: PurchaseEvent) -> Document:
    """The event as a worker sees it."""
    return Document.of(event, event.to_bytes())


def enrolled(owner: UUID, version: int = 1) -> MemberEnrolled:
    """A member joined."""
    return MemberEnrolled(
        id=new_id(),
        source="test",
        subject=str(owner),
        time=NOON,
        data=MemberData(member_id=owner, version=version, status="active"),
    )


def linked(owner: UUID, identifier_hash: str, version: int = 1) -> IdentifierLinked:
    """A card became a member's."""
    return IdentifierLinked(
        id=new_id(),
        source="test",
        subject=str(owner),
        time=NOON,
        data=IdentifierData(
            member_id=owner,
            identifier_hash=identifier_hash,
            identifier_type="card",
            state="active",
            version=version,
        ),
    )


def merged_into(survivor: UUID, merged: UUID, version: int = 2) -> MembersMerged:
    """Two members turned out to be one."""
    return MembersMerged(
        id=new_id(),
        source="test",
        subject=str(survivor),
        time=NOON,
        data=MergeData(member_id=survivor, version=version, merged_member_id=merged, merged_version=version),
    )


def _receipt_id(partner_id: str, till_id: str, number: int) -> str:
    key = SequenceKey(
        scheme="sequence", store_id="s1", till_id=till_id, business_date=date(2026, 11, 1), shift=1, number=number
    )
    return receipt_id_of(encode_receipt_key(partner_id, key))
