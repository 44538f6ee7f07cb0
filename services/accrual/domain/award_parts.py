"""What an award is made of, where it is more than points of the programme's own that may be spent at once.

A part is points of one type that share a lot, or wait together. Nearly every award is one lot by itself and has none.
Pure: the same evaluation gives the same parts for ever, by which a return finds them again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from services.accrual.domain.evaluation import Evaluation
from services.accrual.domain.rules.expiry import CalendarExpiry, NeverExpires, RollingExpiry, expires_on
from services.accrual.domain.rules.pending import Wait, wait_of
from services.accrual.domain.rules.terms import PartTerms
from shared.ledger import LotTerms

_CACHED_MAX = 4_096  # a partner's receipts of one day share their terms


class PartKey(NamedTuple):
    """What tells the parts of one award apart: ``point_type`` (None: the programme's own), lot and wait as earned."""

    point_type: str | None
    terms: LotTerms
    wait: Wait | None


class EarnedPart(NamedTuple):
    """One part of a new award. ``by_rule`` are the rules that gave it, each with its points.

    ``expiry`` is how long it will last where only its release says from when: until then its lot has no end.
    """

    number: int
    key: PartKey
    points: int
    expiry: NeverExpires | RollingExpiry | CalendarExpiry | None
    by_rule: tuple[tuple[str, int], ...]


class KnownPart(NamedTuple):
    """A part of an award as a return meets it: ``points`` given, ``taken_back`` of them returned since.

    ``is_gone``: it waited in vain, and its points went back to who had issued them.
    """

    number: int
    key: PartKey
    points: int
    taken_back: int
    is_gone: bool = False


class TakenPart(NamedTuple):
    """What a return takes of a part."""

    number: int
    point_type: str | None
    points: int


def earned_parts(evaluation: Evaluation, earned_on: date) -> tuple[EarnedPart, ...]:
    """The parts of an award, in the order of their numbers; none where it is one lot, whose points wait for nothing."""
    if evaluation.is_one_lot:
        return ()
    parts = _parts(evaluation, earned_on)
    if len(parts) > 1:
        return parts
    own = _own(evaluation.rule_set.own_terms)
    plain = _key_of(evaluation.receipt.purchase.partner_id, earned_on, own, "earning")
    return () if all(part.key == plain for part in parts) else parts


def points_kept(evaluation: Evaluation, earned_on: date) -> Mapping[PartKey, int]:
    """The points of each part that an evaluation has, whatever it is made of."""
    return {part.key: part.points for part in _parts(evaluation, earned_on)}


def every_part(evaluation: Evaluation, earned_on: date) -> tuple[EarnedPart, ...]:
    """The parts of an evaluation, whatever it is made of: also where an award of it would be one lot."""
    return _parts(evaluation, earned_on)


def take_back(parts: Sequence[KnownPart], kept: Mapping[PartKey, int]) -> tuple[TakenPart, ...]:
    """What a return takes of each part of an award of which ``kept`` is still earned.

    By type, what was given less what was taken before less what is kept; it comes from those parts that have become
    less, those first that wait or waited, then the last first. A part that has become more (of a group another rule is
    the best one now) is not given that, but as much less is taken of the others: nothing is ever given on a return, and
    what came back whole leaves nothing of any part. A part that is gone is as if neither purchase nor return had it.
    """
    taken: list[TakenPart] = []
    gone = {part.key for part in parts if part.is_gone}
    for point_type in dict.fromkeys(part.key.point_type for part in parts):
        of_type = [part for part in parts if part.key.point_type == point_type and not part.is_gone]
        left = sum(part.points - part.taken_back for part in of_type)
        still = sum(points for key, points in kept.items() if key.point_type == point_type and key not in gone)
        taken += _from_those_that_shrink(of_type, kept, max(0, left - still))
    return tuple(sorted(taken))


def after_return(parts: Iterable[KnownPart], taken: Iterable[TakenPart]) -> tuple[KnownPart, ...]:
    """The parts once that was taken of them."""
    points = {one.number: one.points for one in taken}
    return tuple(part._replace(taken_back=part.taken_back + points.get(part.number, 0)) for part in parts)


def own_points(taken: Iterable[TakenPart]) -> int:
    """How much of this is of the programme's own type."""
    return sum(one.points for one in taken if one.point_type is None)


def award_of_part(natural_key: bytes, number: int) -> bytes:
    """What the ledger calls a part: where its points wait. The first is called as its receipt is.

    Kept for ever: golden values hold it.
    """
    if number == 0:
        return natural_key
    return blake2b(natural_key + number.to_bytes(2, "big"), digest_size=32, person=b"part").digest()


def released_terms(
    terms: LotTerms, released_on: date, expiry: NeverExpires | RollingExpiry | CalendarExpiry | None
) -> LotTerms:
    """The lot of what waited for an event, once it may be spent from this day on. ``expiry`` None: it has an end
    already, or none at all.
    """
    lasts_until = terms.expires_on if expiry is None else expires_on(expiry, released_on)
    return replace(terms, available_from=released_on, expires_on=_usable_for_a_day(lasts_until, released_on))


def _parts(evaluation: Evaluation, earned_on: date) -> tuple[EarnedPart, ...]:
    """All parts. What has the same lot and waits for the same is one."""
    rule_set, issuer = evaluation.rule_set, evaluation.receipt.purchase.partner_id
    found: dict[PartKey, EarnedPart] = {}
    for part in evaluation.parts:
        key = _key_of(issuer, earned_on, part.terms, rule_set.expiry_counts_from)
        before = found.get(key)
        if before is not None:
            found[key] = before._replace(points=before.points + part.points, by_rule=before.by_rule + part.by_rule)
            continue
        is_open = key.wait is not None and key.wait.event is not None and rule_set.expiry_counts_from == "release"
        found[key] = EarnedPart(len(found), key, part.points, part.terms.expiry if is_open else None, part.by_rule)
    return tuple(found.values())


def _own(terms: PartTerms) -> PartTerms:
    return terms if terms.pending is None else replace(terms, pending=None)


@lru_cache(maxsize=_CACHED_MAX)
def _key_of(issuer: str, earned_on: date, terms: PartTerms, expiry_counts_from: str) -> PartKey:
    """The lot of points that are earned on these terms, and what they wait for."""
    wait = wait_of(terms.pending, earned_on)
    available_from = wait.until if wait is not None and wait.event is None else earned_on
    is_open = wait is not None and wait.event is not None and expiry_counts_from == "release"
    last = None
    if terms.expiry is not None and not is_open:
        last = expires_on(terms.expiry, available_from if expiry_counts_from == "release" else earned_on)
    lot = LotTerms(
        issuer=issuer,
        available_from=available_from,
        expires_on=_usable_for_a_day(last, available_from),
        basis=terms.basis,
        funding=terms.funding,
        limits=terms.limits,
    )
    return PartKey(terms.point_type, lot, wait)


def _usable_for_a_day(last: date | None, available_from: date) -> date | None:
    """Whatever is released may be spent on that day at least."""
    return None if last is None else max(last, available_from + timedelta(days=1))


def _from_those_that_shrink(
    parts: Sequence[KnownPart], kept: Mapping[PartKey, int], points: int
) -> Iterable[TakenPart]:
    for part in sorted(parts, key=lambda part: (part.key.wait is None, -part.number)):
        shrinks = part.points - part.taken_back - kept.get(part.key, 0)
        taken = max(0, min(points, shrinks))
        if taken:
            points -= taken
            yield TakenPart(part.number, part.key.point_type, taken)
