"""Purchases for fraud's tests, as windows see them and as tills post them: short to write."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from uuid import UUID, uuid5

from services.fraud.domain.decide import decide_all
from services.fraud.domain.member_state import MemberState
from services.fraud.domain.outcomes import Action, Decision, Effects
from services.fraud.domain.receipts import Receipt, ReceiptFact
from services.fraud.domain.rule_set import ACTIVE_RULE_SET, RuleSet
from shared.events.coalition import OperatorChanged, OperatorData, TillChanged, TillData
from shared.events.points import MoveData, ReceiptMoved
from shared.events.purchases import PurchaseData, PurchaseLine, PurchaseRecorded
from shared.ids import IdentifierKey, IdentifierType, hash_identifier, new_id
from shared.receipt_key import SequenceKey, encode_receipt_key, receipt_id_of

MORNING = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
ANNA = "anna"
BERT = "bert"

_KEY = IdentifierKey(1, bytes(range(32)))
_MEMBERS = UUID("5b1f6c3a-0d0e-4f6e-8d0b-6d9f5a3c7e21")


def member(number: int) -> UUID:
    """The same member for the same number."""
    return uuid5(_MEMBERS, str(number))


def operator(name: str) -> str:
    """The same hash for the same cashier of the grocer."""
    return hash_identifier(IdentifierType.OPERATOR, f"grocer/{name}", _KEY)


def receipt_key(number: int) -> bytes:
    """The grocer's receipt of that number."""
    return encode_receipt_key(
        "grocer",
        SequenceKey(
            scheme="sequence", store_id="s1", till_id="t1", business_date=date(2026, 10, 5), shift=1, number=number
        ),
    )


def receipt_id(number: int) -> str:
    """As it stands in URLs and events."""
    return receipt_id_of(receipt_key(number))


def receipt(
    number: int,
    *,
    by: str | None = ANNA,
    at: datetime | None = None,
    store: str = "s1",
    shift: int | None = 1,
    had_choice: bool | None = True,
    is_own_card: bool = False,
    claimed_after_days: int | None = None,
) -> Receipt:
    """A receipt in a window; by default the number says how many minutes after ``MORNING`` it happened."""
    occurred_at = at if at is not None else MORNING + timedelta(minutes=number)
    return Receipt(
        occurred_at=occurred_at,
        receipt_key=receipt_key(number),
        operator_hash=None if by is None else operator(by),
        store_id=store,
        shift_number=shift,
        day=occurred_at.date(),
        had_choice=had_choice,
        is_own_card=is_own_card,
        claimed_after_days=claimed_after_days,
    )


def fact(found: Receipt, member_number: int = 1) -> ReceiptFact:
    """A receipt and whose it is."""
    return ReceiptFact(member(member_number), found)


def play(
    facts: Iterable[ReceiptFact], cuts: Sequence[int] = (), rule_set: RuleSet = ACTIVE_RULE_SET
) -> tuple[dict[UUID, MemberState], Effects]:
    """Decide a stream in pieces that end at ``cuts``, leaving out what was decided before, as the service does."""
    stream = list(facts)
    states: dict[UUID, MemberState] = {}
    known: set[bytes] = set()
    merged = Effects([], [], [], [], [])
    for begin, end in zip((0, *cuts), (*cuts, len(stream)), strict=True):
        batch: dict[bytes, ReceiptFact] = {}
        for one in stream[begin:end]:
            if one.receipt.receipt_key not in known:
                batch.setdefault(one.receipt.receipt_key, one)
        known |= batch.keys()
        states, effects = decide_all(batch.values(), states, rule_set)
        merged = Effects(
            (*merged.decisions, *effects.decisions),
            (*merged.raised, *effects.raised),
            (*merged.cases, *effects.cases),
            (*merged.signals, *effects.signals),
            (*merged.holds, *effects.holds),
        )
    return states, merged


def final_decisions(effects: Effects) -> dict[bytes, tuple[Action, dict[str, tuple[str, tuple[int, ...]]]]]:
    """Each receipt's decision after all that raised it: the action, and the outcome by rule."""
    final: dict[bytes, tuple[Action, dict[str, tuple[str, tuple[int, ...]]]]] = {}

    def outcomes(decision: Decision) -> dict[str, tuple[str, tuple[int, ...]]]:
        return {outcome.rule_code: (outcome.result.value, outcome.observed) for outcome in decision.outcomes}

    for decision in effects.decisions:
        final[decision.receipt_key] = (decision.action, outcomes(decision))
    for decision in effects.raised:
        action, known = final[decision.receipt_key]
        final[decision.receipt_key] = (
            Action.HOLD if action is Action.HOLD else decision.action,
            known | outcomes(decision),
        )
    return final


def purchase(
    number: int,
    *,
    of: int | None = 1,
    by: str | None = ANNA,
    at: datetime | None = None,
    store: str = "s1",
    shift: int | None = 1,
    traceparent: str | None = None,
    card: str | None = None,
) -> PurchaseRecorded:
    """A purchase as the door publishes it; the same number is the same receipt."""
    occurred_at = at if at is not None else MORNING + timedelta(minutes=number)
    data = PurchaseData(
        receipt_id=receipt_id(number),
        content_hash="0" * 64,
        partner_id="grocer",
        store_id=store,
        till_id="t1",
        shift=shift,
        operator_hash=None if by is None else operator(by),
        member_id=None if of is None else member(of),
        identifier_hash=card,
        occurred_at=occurred_at,
        received_at=occurred_at + timedelta(seconds=5),
        currency="USD",
        total_minor=1000,
        lines=(PurchaseLine(line_id=1, sku="a", quantity_thousandths=1000, amount_minor=1000),),
    )
    return PurchaseRecorded(
        id=new_id(),
        source="accrual",
        subject=receipt_id(number),
        time=occurred_at,
        traceparent=traceparent,
        data=data,
    )


def moved(
    number: int, from_number: int, to_number: int, *, nth: int | None = 1, direction: Literal["from", "to"] = "to"
) -> ReceiptMoved:
    """One side of a receipt's nth move, as accrual publishes it."""
    sides = (member(to_number), member(from_number))
    member_id, other_id = sides if direction == "to" else sides[::-1]
    data = MoveData(
        member_id=member_id,
        other_member_id=other_id,
        direction=direction,
        move_id=uuid5(_MEMBERS, f"{number}/{nth}"),
        receipt_id=receipt_id(number),
        partner_id="grocer",
        point_type="points",
        points=10,
        reason_code="wrong_card",
        rule_set_version=1,
        occurred_at=MORNING,
        move_number=nth,
    )
    return ReceiptMoved(id=new_id(), source="accrual", subject=str(member_id), time=MORNING, data=data)


def changed(recorded: PurchaseRecorded, **changes: object) -> PurchaseRecorded:
    """The purchase with other data."""
    data = PurchaseData.model_validate(recorded.data.model_dump() | changes)
    return recorded.model_copy(update={"data": data})


def till(till_id: str, *, store: str = "s1", version: int = 1, is_revoked: bool = False) -> TillChanged:
    """A till of the grocer's, registered or changed."""
    return TillChanged(
        id=new_id(),
        source="coalition",
        subject=f"grocer/{store}/{till_id}",
        time=MORNING,
        data=TillData(
            partner_id="grocer",
            store_id=store,
            till_id=till_id,
            version=version,
            key_scheme="sequence",
            key_sha256="0" * 64,
            is_revoked=is_revoked,
        ),
    )


def cashier(name: str, *own_cards: str, version: int = 1) -> OperatorChanged:
    """A cashier of the grocer's, registered or changed, with what stands for his own member card."""
    return OperatorChanged(
        id=new_id(),
        source="coalition",
        subject=f"grocer/{operator(name)}",
        time=MORNING,
        data=OperatorData(
            partner_id="grocer",
            operator_hash=operator(name),
            version=version,
            state="active",
            own_card_hashes=own_cards,
        ),
    )
