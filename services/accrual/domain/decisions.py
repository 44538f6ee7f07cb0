"""What becomes of one document, given the facts: an award, a claw-back, a refusal, or a wait for a missing fact.

A missing fact never refuses a receipt: it parks it, under the key of the row in which receipt and fact will meet.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from typing import Literal, NamedTuple, TypeAlias, cast
from uuid import UUID

from services.accrual.domain.award_parts import (
    EarnedPart,
    KnownPart,
    TakenPart,
)
from services.accrual.domain.category_mapping import PartnerMapping
from services.accrual.domain.earning_facts import NO_FACTS, EarningFacts
from services.accrual.domain.earning_of_batch import EarningOfBatch
from services.accrual.domain.evaluation import Evaluation
from services.accrual.domain.exchanged_goods import KnownExchange
from services.accrual.domain.partner_funds import FundsOf
from services.accrual.domain.partner_standing import (
    Standing,
)
from services.accrual.domain.rules import RuleSetHistory
from shared.events.members import MemberStatus
from shared.events.purchases import (
    ExchangeRecorded,
    PurchaseData,
    PurchaseEvent,
    PurchaseRecorded,
    ReceiptCorrected,
    ReceiptVoided,
    ReturnRecorded,
)
from shared.ledger import ClawBackPolicy, Forgiving
from shared.receipt_key import natural_key_of

# Far beyond any receipt, and small enough that sums of many stay whole numbers that the database can hold.
POINTS_MAX = 10**12
TillCodes: TypeAlias = tuple[str, str, str]


class Document(NamedTuple):
    """A receipt as the decision sees it: its identity, where it was issued, and the event that brought it.

    ``original_key`` is, for a document that says so, the purchase that it undoes, in part or as a whole, or corrects;
    ``prepaid_keys`` are the receipts in which the goods of a purchase were paid ahead.
    """

    natural_key: bytes
    content_hash: bytes
    till: TillCodes
    original_key: bytes | None
    event: PurchaseEvent
    body: bytes
    prepaid_keys: tuple[bytes, ...] = ()

    @classmethod
    def of(cls, event: PurchaseEvent, body: bytes) -> "Document":
        """From an event and its bytes on the wire."""
        data = event.data
        original = None
        prepaid: tuple[bytes, ...] = ()
        if type(event) is not PurchaseRecorded:  # models are slow to ask whether something is an instance
            undoing = cast("ReturnRecorded | ExchangeRecorded | ReceiptVoided | ReceiptCorrected", event)
            original = undoing.data.original_receipt_id
        elif event.data.prepaid_receipt_ids:
            prepaid = tuple(natural_key_of(receipt_id) for receipt_id in event.data.prepaid_receipt_ids)
        return cls(
            natural_key_of(data.receipt_id),
            bytes.fromhex(data.content_hash),
            (data.partner_id, data.store_id, data.till_id),
            natural_key_of(original) if original is not None else None,
            event,
            body,
            prepaid,
        )


@dataclass(slots=True)
class Original:
    """The purchase that a document undoes, as it stands; changed by each that is decided after it.

    ``facts`` are those that it was judged by; ``parts`` and ``earned_on`` are there where it is more than one lot.
    ``voided_by`` is the document that undid all of it. ``first_total_minor`` is what it came to before it was
    corrected, where it was. ``exchange`` is there where it was an exchange, whose new goods are the purchase then.
    ``lacked`` of its own points were not there when they were taken back, before this batch.
    """

    state: Literal["awarded", "refused", "waiting"]
    owner_id: UUID | None = None
    purchase: PurchaseData | None = None
    rule_set_version: int = 0
    mapping_version: int = 0
    points: int = 0
    taken_back: int = 0
    returned_thousandths: dict[int, int] = field(default_factory=dict)
    facts: EarningFacts = NO_FACTS
    parts: tuple[KnownPart, ...] = ()
    earned_on: date | None = None
    voided_by: bytes | None = None
    first_total_minor: int | None = None
    exchange: KnownExchange | None = None
    lacked: int = 0


class Facts(NamedTuple):
    """All that a batch of documents is judged by. ``members`` are statuses of members that are locked; ``partners`` are
    all standings that a partner ever had, ``funds`` its contracts and what is left of them; ``zone`` is where the
    programme's days end. ``earning`` is there only where published rules ask for facts that are looked up. A purchase
    that was received later than ``retro_window`` after its time earns nothing. ``not_there`` are documents whose points
    the ledger did not find when it was asked to take them back. ``handovers`` are the receipts that hand goods over, by
    those that took money for them ahead; it is there where some rules let these earn.
    """

    owners: Mapping[bytes, UUID]
    members: Mapping[UUID, MemberStatus]
    tills: AbstractSet[TillCodes]
    partners: Mapping[str, Sequence[Standing]]
    mappings: Mapping[str, PartnerMapping]
    funds: FundsOf
    originals: dict[bytes, Original]
    rule_sets: RuleSetHistory
    now: datetime
    parked_window: timedelta
    zone: tzinfo
    earning: EarningOfBatch | None = None
    retro_window: timedelta = timedelta.max
    not_there: AbstractSet[bytes] = frozenset()
    handovers: dict[bytes, list[bytes]] | None = None


class Awarded(NamedTuple):
    """Points for a purchase; ``evaluation`` says where they came from. ``parts`` where they are more than one lot."""

    document: Document
    owner_id: UUID
    evaluation: Evaluation
    parts: tuple[EarnedPart, ...] = ()


# Why points are taken back.
Cause: TypeAlias = Literal["return", "void", "exchange", "handover"]


class ClawedBack(NamedTuple):
    """Points to take back for goods that came back, or for a sale that never was: of the programme's own type in all,
    and of each of the award's ``parts``. ``policy``: what becomes of what is not there any more, and ``forgiving``: of
    how little of it nothing does. ``withheld`` of the programme's own points are the member's for good: money was kept
    for them. ``purchased_at``: the purchase's time.
    """

    document: Document
    owner_id: UUID
    original_key: bytes
    points: int
    returned_thousandths: Mapping[int, int]
    parts: tuple[TakenPart, ...] = ()
    cause: Cause = "return"
    policy: ClawBackPolicy = "debt"
    purchased_at: datetime | None = None
    forgiving: Forgiving | None = None
    withheld: int = 0

    @property
    def may_be_left(self) -> bool:
        """Whether less may leave the balance than is taken back: how much is there, only the ledger knows."""
        return self.policy == "clip" or self.forgiving is not None


class UnlinkedReturn(NamedTuple):
    """A return that names no purchase, and what the rules of its time make of it: so many of the programme's own
    ``points`` to take, or nothing. ``policy``: what becomes of what is not there any more.
    """

    document: Document
    owner_id: UUID
    outcome: Literal["taken_back", "ignored"]
    rule_set_version: int
    mapping_version: int = 0
    points: int = 0
    policy: ClawBackPolicy = "debt"


class Refused(NamedTuple):
    """For good: the reason code and the words."""

    document: Document
    owner_id: UUID | None
    reason: str
    detail: str


class GivenBack(NamedTuple):
    """What the void of an exchange gives back of the award of ``original_key``, whose goods are not back after all:
    ``points`` in all of the programme's own type, and of each of its ``parts``. ``uncounted`` of it no longer count as
    taken back, and of ``uncounted_parts``: more than is given, where some had not been there to be taken.
    """

    document: Document
    owner_id: UUID
    original_key: bytes
    exchange_key: bytes
    occurred_at: datetime
    points: int
    uncounted: int
    returned_thousandths: Mapping[int, int]
    parts: tuple[TakenPart, ...] = ()
    uncounted_parts: tuple[TakenPart, ...] = ()


class Exchanged(NamedTuple):
    """Points that are taken back and others that are given, at once: for goods that were exchanged (``given``, or
    ``unearned``: why the new goods earn nothing), or for an exchange that never was (``given_back``).

    ``room`` of what is taken was reckoned with when a cap on the balance was asked.
    """

    document: Document
    owner_id: UUID
    taken: ClawedBack
    given: Awarded | None = None
    unearned: Refused | None = None
    given_back: GivenBack | None = None
    room: int = 0


Missing: TypeAlias = Literal["identifier", "member", "till", "contract", "funds", "rules", "purchase", "person"]


class Parked(NamedTuple):
    """Waits for ``missing``; None: it names nobody, and waits for nothing. ``owner_id`` is the member it waits for."""

    document: Document
    missing: Missing | None
    reason: str
    owner_id: UUID | None = None


Decision: TypeAlias = Awarded | ClawedBack | UnlinkedReturn | Exchanged | Refused | Parked
