"""What events of points change in the sums of partners. Pure.

An effect is known for ever by its key; which contract prices it follows from its own business time, so that it does
not matter when, or in which batch, it is counted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

from services.coalition.domain.contracts import Contract, in_force
from services.coalition.domain.exposure import NO_CONTRACT, Change, PointSums


class Issued(NamedTuple):
    """Points for a receipt, by the partner whose receipt it is; ``at`` is the receipt's time.

    ``moved_key`` of a receipt that was moved: what is taken off it later finds its contract there, whatever its parts.
    """

    entry_key: bytes
    partner_id: str
    point_type: str
    points: int
    at: datetime
    moved_key: bytes | None = None


class Returned(NamedTuple):
    """Points taken back for a return; they are taken off where the purchase (``original_key``) was counted, else where
    it was counted when it was moved (``moved_key``), else by the contract of ``at``: the purchase's time, where that is
    known.
    """

    entry_key: bytes
    original_key: bytes
    partner_id: str
    point_type: str
    points: int
    at: datetime
    moved_key: bytes | None = None


class Redeemed(NamedTuple):
    """Points taken at a partner; ``by_issuer`` says who had issued them."""

    entry_key: bytes
    partner_id: str
    point_type: str
    points: int
    by_issuer: tuple[tuple[str, int], ...]
    at: datetime


class Refunded(NamedTuple):
    """Points that a partner had taken (``original_key``) and that were given back; ``by_issuer`` says who had issued
    them. They are taken off where they were counted; ``at`` is when they had been taken.
    """

    entry_key: bytes
    original_key: bytes
    partner_id: str
    point_type: str
    points: int
    by_issuer: tuple[tuple[str, int], ...]
    at: datetime


Effect: TypeAlias = Issued | Returned | Redeemed | Refunded
ContractsOf: TypeAlias = Mapping[str, Sequence[Contract]]


def receipt_entry(natural_key: bytes, part: int = 0) -> bytes:
    """The key under which a receipt's points, or a return's, count once: each part of an award that has several."""
    return b"p" + natural_key if part == 0 else b"q" + part.to_bytes(2, "big") + natural_key


def exchange_entry(natural_key: bytes, side: Literal["taken", "given"], part: int = 0) -> bytes:
    """The key under which what an exchange took back, or what its void gave again, counts once: beside what is counted
    under the document's own key (``receipt_entry``).
    """
    return b"x" + side.encode() + part.to_bytes(2, "big") + natural_key


def handover_entry(handover: bytes, prepaid: bytes, part: int = 0) -> bytes:
    """The key under which what a handover took back of a prepayment counts once."""
    return b"h" + part.to_bytes(2, "big") + len(handover).to_bytes(2, "big") + handover + prepaid


def lapse_entry(natural_key: bytes, part: int) -> bytes:
    """The key under which what lapsed of a part of an award counts once."""
    return b"l" + part.to_bytes(2, "big") + natural_key


def move_entry(move_id: bytes, direction: Literal["from", "to"], part: int = 0) -> bytes:
    """The key under which what a moved receipt took from one member, or gave to the other, counts once."""
    return b"m" + move_id + part.to_bytes(2, "big") + direction.encode()


def moved_receipt_entry(natural_key: bytes) -> bytes:
    """The key under which a receipt that was moved says its contract: its parts may not be those that were awarded."""
    return b"c" + natural_key


def capture_entry(redemption_id: bytes, natural_key: bytes) -> bytes:
    """The key under which what a receipt took of a redemption counts once."""
    return b"r" + redemption_id + natural_key


def voucher_entry(voucher_id: bytes) -> bytes:
    """The key under which what a used voucher was worth counts once."""
    return b"v" + voucher_id


def refund_entry(redemption_id: bytes, natural_key: bytes, undone_by: bytes, content_hash: str | None = None) -> bytes:
    """The key under which what a document gave back of what a receipt took of a redemption counts once. Of two
    documents that bear one key ``content_hash`` tells which.
    """
    return b"u" + redemption_id + natural_key + undone_by + (content_hash or "").encode()


def partners_of(effects: Iterable[Effect]) -> set[str]:
    """Everybody whose sums these effects may change."""
    found: set[str] = set()
    for effect in effects:
        found.add(effect.partner_id)
        if isinstance(effect, Redeemed | Refunded):
            found.update(issuer for issuer, _ in effect.by_issuer)
    return found


def looked_up(effects: Iterable[Effect]) -> set[bytes]:
    """The keys of what was counted before, by which these effects find their contracts."""
    undoing = [effect for effect in effects if isinstance(effect, Returned | Refunded)]
    moved = {one.moved_key for one in undoing if isinstance(one, Returned) and one.moved_key is not None}
    return {effect.original_key for effect in undoing} | moved


def contract_numbers(
    effects: Sequence[Effect], contracts: ContractsOf, entered: Mapping[bytes, int]
) -> dict[bytes, int]:
    """The number of the contract that each effect is counted under, by its key; ``NO_CONTRACT`` where none held. Where
    a receipt was moved, the key by which later ones find it bears its number, too.

    A return is counted under its purchase's, and a refund under its capture's: from ``entered``, or from among
    ``effects`` before it. Where what is undone was never counted, the contract of the effect's own time stands in.
    """
    numbers: dict[bytes, int] = {}
    for effect in effects:
        number = None
        if isinstance(effect, Returned):
            keys = effect.original_key, effect.moved_key or effect.original_key
            found = (entered.get(key, numbers.get(key)) for key in keys)
            number = next((each for each in found if each is not None), None)
        elif isinstance(effect, Refunded):
            number = entered.get(effect.original_key, numbers.get(effect.original_key))
        numbers[effect.entry_key] = number_at(contracts, effect.partner_id, effect.at) if number is None else number
        if isinstance(effect, Issued) and effect.moved_key is not None:
            numbers[effect.moved_key] = numbers[effect.entry_key]
    return numbers


def number_at(contracts: ContractsOf, partner_id: str, at: datetime) -> int:
    """The number of a partner's contract at a moment."""
    contract = in_force(contracts.get(partner_id, ()), at)
    return NO_CONTRACT if contract is None else contract.number


def changes_of(effects: Iterable[Effect], numbers: Mapping[bytes, int], contracts: ContractsOf) -> list[Change]:
    """What to add to the sums, folded: one change a partner, contract and point type."""
    folded: dict[tuple[str, int, str], PointSums] = {}
    for effect in effects:
        for change in _changes(effect, numbers[effect.entry_key], contracts):
            key = (change.partner_id, change.sums.contract_number, change.sums.point_type)
            before = folded.get(key)
            folded[key] = change.sums if before is None else _plus(before, change.sums)
    return [Change(partner_id, sums) for (partner_id, _, _), sums in folded.items()]


def _changes(effect: Effect, number: int, contracts: ContractsOf) -> Iterable[Change]:
    partner_id, point_type = effect.partner_id, effect.point_type
    match effect:
        case Issued(points=points):
            yield Change(partner_id, PointSums(number, point_type, issued_points=points))
        case Returned(points=points):
            yield Change(partner_id, PointSums(number, point_type, returned_points=points))
        case Redeemed(points=points, by_issuer=by_issuer, at=at):
            yield Change(partner_id, PointSums(number, point_type, redeemed_points=points))
            for issuer, part in by_issuer:
                issuer_number = number_at(contracts, issuer, at)
                yield Change(issuer, PointSums(issuer_number, point_type, spent_points=part))
        case Refunded(points=points, by_issuer=by_issuer, at=at):
            yield Change(partner_id, PointSums(number, point_type, refunded_points=points))
            for issuer, part in by_issuer:
                issuer_number = number_at(contracts, issuer, at)
                yield Change(issuer, PointSums(issuer_number, point_type, restored_points=part))


def _plus(one: PointSums, other: PointSums) -> PointSums:
    return replace(
        one,
        issued_points=one.issued_points + other.issued_points,
        returned_points=one.returned_points + other.returned_points,
        redeemed_points=one.redeemed_points + other.redeemed_points,
        spent_points=one.spent_points + other.spent_points,
        refunded_points=one.refunded_points + other.refunded_points,
        restored_points=one.restored_points + other.restored_points,
    )
