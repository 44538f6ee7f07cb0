"""Says what goods that come back would take of points, before there is a return of them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, NamedTuple
from uuid import UUID

from services.accrual.domain.asked_returns import (
    BoughtLine,
    LineAsked,
    TakenOfLine,
    TakenOfType,
    asked_return,
    bought_lines,
    taken_of_lines,
)
from services.accrual.domain.decisions import ClawedBack, Decision, Document, Original, Parked, Refused
from services.accrual.domain.exchanged_goods import GoodsTaken
from services.accrual.domain.line_by_line import decide_only, take_line_by_line
from services.accrual.programme import Programme, PublishedRules
from services.accrual.repository import awards, claims, undecided_documents
from services.accrual.repository.awards import StoredAward
from services.accrual.use_cases.decide_documents import undecidable
from services.accrual.use_cases.load_exchanges import goods_of
from services.accrual.use_cases.load_facts import KnownTills, complete_originals
from services.accrual.use_cases.look_from_till import look_from_till
from services.accrual.use_cases.part_commands import PartsOfBatch
from services.accrual.use_cases.preview_receipt import facts_from_till
from services.accrual.use_cases.save_decisions import Moving, commands_of
from shared import ledger
from shared.database import Transaction
from shared.events.purchases import PurchaseData
from shared.ledger import Balances, ClawBack, ClawBackPolicy, Earn, LotTerms, Outcome, Posted

# What comes back is as if it were earned just afterwards. Which lot it is in makes no difference to what is lacking.
_CAME_BACK = b"came back"


class ComesBack(NamedTuple):
    """Points that had paid for the goods, and are this owner's again by the return."""

    owner_id: UUID
    point_type: str
    points: int


class PreviewedReturn(NamedTuple):
    """What would become of a return. ``awaiting``: nobody has decided on the purchase's key yet.

    ``purchase`` as it stands (None: its document is not kept) has ``lines`` with what came back of them; ``taken`` by
    type, and ``taken_of_lines``, which adds up to it. ``is_withheld``: tills are to keep money of the refund for what
    is lacking.
    """

    status: Literal["awaiting", "parked", "refused", "awarded"]
    reason: str | None = None
    detail: str | None = None
    purchase: PurchaseData | None = None
    lines: tuple[BoughtLine, ...] = ()
    policy: ClawBackPolicy | None = None
    forgive_below: int | None = None
    is_withheld: bool = False
    taken: tuple[TakenOfType, ...] = ()
    taken_of_lines: tuple[TakenOfLine, ...] = ()

    @property
    def points_minor(self) -> int:
        """What of the purchase points have paid."""
        tenders = self.purchase.tenders if self.purchase is not None else ()
        return sum(tender.amount_minor for tender in tenders if tender.kind == "points")

    @property
    def is_exchange(self) -> bool:
        """Whether the purchase is what an exchange handed over."""
        return isinstance(self.purchase, GoodsTaken)


async def preview_return(
    transaction: Transaction,
    original_key: bytes,
    asked: Sequence[LineAsked],
    comes_back: Sequence[ComesBack],
    rules: PublishedRules,
    programme: Programme,
    known_tills: KnownTills,
) -> PreviewedReturn:
    """What a return of these lines would take, if it came now: the worker's decision and the ledger's, foreseen.

    What came back before stands. Where rules say ``debt`` of what is not there, ``comes_back`` pays what is owed, of
    before too, whichever of the two is posted first; else it covers nothing. How much is lacking is told whatever they
    say, and how much of it nobody would owe. The transaction is a snapshot, and nothing is written.
    """
    await rules.refresh(transaction)
    claim = (await claims.read(transaction, [original_key])).get(original_key)
    if claim is None or claim.content_hash is None or claim.state == "failed":
        return PreviewedReturn("awaiting")
    original = Original(claim.state if claim.state in ("awarded", "refused") else "waiting", claim.owner_id)
    stored: dict[bytes, StoredAward] = {}
    if claim.state == "awarded":
        stored = await _complete(transaction, original_key, original, rules)
        if not stored:
            return PreviewedReturn("refused", "original_is_no_purchase", "what it undoes is no receipt that earned")
        purchase = original.purchase
    else:
        event = await undecided_documents.find(transaction, original_key, claim.content_hash)
        purchase = goods_of(event) if event is not None else None
    if purchase is None:
        return PreviewedReturn("refused", "original_forgotten", "what it undoes is not kept, or sold nothing")
    document = Document.of(asked_return(purchase, original_key, asked, transaction.now), b"")
    seen = await look_from_till(transaction, document.till, None, (), rules.mappings, known_tills)
    facts = await facts_from_till(transaction, document, seen, rules, programme)
    facts = facts._replace(originals={original_key: original})
    lines = bought_lines(purchase, original.returned_thousandths)
    with undecidable():
        decision = decide_only(document, facts)
        judged = take_line_by_line(document, decision, facts)
    if not isinstance(decision, ClawedBack):
        return _nothing_taken(decision, purchase, lines)
    taken = await _foresee(transaction, decision, stored, comes_back, programme)
    return PreviewedReturn(
        "awarded",
        purchase=purchase,
        lines=lines,
        policy=decision.policy,
        forgive_below=None if decision.forgiving is None else decision.forgiving.below,
        is_withheld=rules.history.version(original.rule_set_version).returns.withhold,
        taken=taken,
        taken_of_lines=taken_of_lines(taken, asked, programme.point_type, judged, purchase),
    )


async def _complete(
    transaction: Transaction, key: bytes, original: Original, rules: PublishedRules
) -> dict[bytes, StoredAward]:
    """Fill in what it earned and what came back of it; of one who was merged away it is the survivor's."""
    stored = await awards.read_awards(transaction, [key])
    await complete_originals(transaction, {key: original}, stored, rules.history)
    if original.owner_id is not None:
        survivors = await ledger.find_survivors(transaction, [original.owner_id])
        original.owner_id = survivors.get(original.owner_id, original.owner_id)
    return stored


def _nothing_taken(decision: Decision, purchase: PurchaseData, lines: tuple[BoughtLine, ...]) -> PreviewedReturn:
    match decision:
        case Refused(reason=reason, detail=detail):
            return PreviewedReturn("refused", reason, detail, purchase, lines)
        case Parked(reason=reason):
            return PreviewedReturn("parked", reason, None, purchase, lines)
        case _:
            raise AssertionError("unreachable: a return that names its purchase is nothing else")


async def _foresee(
    transaction: Transaction,
    decision: ClawedBack,
    stored: dict[bytes, StoredAward],
    comes_back: Sequence[ComesBack],
    programme: Programme,
) -> tuple[TakenOfType, ...]:
    """What would be taken of each type. Where the return would be refused, as if what is lacking were owed."""
    today = transaction.now.astimezone(programme.zone).date()
    parts = PartsOfBatch((), programme.point_type, today).beside(stored.values())
    asked = [one.command for one in commands_of(decision, Moving({}, stored, parts, {}, programme))]
    policy: ClawBackPolicy = "clip" if decision.policy == "clip" else "debt"
    back = [replace(command, policy=policy) for command in asked if isinstance(command, ClawBack)]
    pays = decision.policy == "debt"
    owners = [one.owner_id for one in comes_back]
    survivors = await ledger.find_survivors(transaction, owners) if owners and pays else {}
    terms = LotTerms(issuer=decision.document.event.data.partner_id, available_from=today, expires_on=None)
    then = [
        Earn(decision.owner_id, one.point_type, _CAME_BACK, one.points, terms)
        for one in comes_back
        if pays and one.points and survivors.get(one.owner_id, one.owner_id) == decision.owner_id
    ]
    outcomes = await ledger.foresee(transaction, [*back, *then])
    taken: list[TakenOfType] = []
    for point_type in dict.fromkeys(command.point_type for command in back):
        had = (await ledger.load_balances(transaction, [decision.owner_id], point_type)).get(decision.owner_id)
        taken.append(_of_type(point_type, had or Balances(), outcomes))
    return tuple(taken)


def _of_type(point_type: str, had: Balances, outcomes: Sequence[Outcome]) -> TakenOfType:
    """What was posted of a type. Of debts the oldest is paid first, so this return's is what is owed in the end."""
    posted = [one for one in outcomes if isinstance(one, Posted) and one.command.point_type == point_type]
    back = [one for one in posted if isinstance(one.command, ClawBack)]
    forgiven = sum(one.shortfall for one in back)
    owed = min(sum(one.debt_added - one.debt_cleared for one in back), posted[-1].balance.debt)
    return TakenOfType(
        point_type,
        points=sum(one.points for one in back) + forgiven,
        from_pending=had.pending - back[-1].balance.pending,
        lacking=forgiven + owed,
        forgiven=forgiven,
    )
