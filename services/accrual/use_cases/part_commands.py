"""What the ledger is asked for awards in parts, and the rows that keep them. An award of one lot comes nowhere near."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple

from services.accrual.domain.award_parts import (
    EarnedPart,
    KnownPart,
    PartKey,
    TakenPart,
    award_of_part,
    released_terms,
)
from services.accrual.domain.decisions import Awarded, ClawedBack, GivenBack
from services.accrual.domain.rules.expiry import read_expiry, write_expiry
from services.accrual.programme import Programme
from services.accrual.repository import award_events, award_parts
from services.accrual.repository.award_parts import PartRow, PartState, ReturnPartRow, StoredPart, row_of
from services.accrual.repository.awards import StoredAward
from services.accrual.use_cases.claw_back_policy import refunded_since
from shared.database import Transaction
from shared.ledger import ClawBack, Command, Earn, EarnPending, LotTerms, Posted, Release, Suspend

NONE_CAME: Mapping[tuple[bytes, str], date] = {}


class _Place(NamedTuple):
    """Where a new part's points go, and whether they wait there."""

    state: PartState
    lot: LotTerms


class PartsOfBatch:
    """The parts of a batch's awards, and of earlier awards that returns of it take from.

    ``today`` is the programme's day: what is awarded late may wait no longer. ``came`` are events that were told before
    their receipt was decided, by receipt, and on which day: one that came too late is as if it had not come.
    """

    def __init__(
        self, awarded: Sequence[Awarded], own_type: str, today: date, came: Mapping[tuple[bytes, str], date] = NONE_CAME
    ) -> None:
        self._own_type = own_type
        self._places = {
            (key := decision.document.natural_key, part.number): _place(part, today, came, key)
            for decision in awarded
            for part in decision.parts
        }
        self._earlier: dict[tuple[bytes, int], StoredPart] = {}

    def beside(self, earlier: Iterable[StoredAward]) -> "PartsOfBatch":
        """The same, knowing the parts of these awards too."""
        self._earlier |= {(award.natural_key, part.number): part for award in earlier for part in award.parts}
        return self

    def rows(self, awarded: Iterable[Awarded]) -> list[PartRow]:
        """The rows of awards in parts."""
        rows = []
        for decision in awarded:
            key = decision.document.natural_key
            for part in decision.parts:
                state, lot = self._places[key, part.number]
                row = row_of(
                    key,
                    part.number,
                    part.key.point_type or self._own_type,
                    part.points,
                    part.key.terms,
                    part.key.wait,
                    None if part.expiry is None else write_expiry(part.expiry),
                    state,
                )
                if lot != part.key.terms:
                    row = row._replace(released_from=lot.available_from, released_expires_on=lot.expires_on)
                rows.append(row)
        return rows

    def earn_commands(self, decision: Awarded, *, is_held: bool) -> list[tuple[Command, EarnedPart]]:
        """Earn each part, to its pending lot where it waits; what fraud holds goes there too."""
        key, owner_id = decision.document.natural_key, decision.owner_id
        commands: list[tuple[Command, EarnedPart]] = []
        for part in decision.parts:
            point_type, points = part.key.point_type or self._own_type, part.points
            state, lot = self._places[key, part.number]
            balance_max = decision.evaluation.rule_set.balance_max if part.key.point_type is None else None
            if state == "pending":
                award = award_of_part(key, part.number)
                commands.append((EarnPending(owner_id, point_type, key, points, lot, award, balance_max), part))
                continue
            commands.append((Earn(owner_id, point_type, key, points, lot, balance_max), part))
            if is_held:
                award = award_of_part(key, part.number)
                commands.append((Suspend(owner_id, point_type, key, points, lot, award), part))
        return commands

    def claw_back_commands(self, decision: ClawedBack) -> list[tuple[Command, TakenPart]]:
        """Take back what a return took of each part."""
        key, original_key = decision.document.natural_key, decision.original_key
        kept = self._kept(decision)
        return [
            (
                ClawBack(
                    decision.owner_id,
                    part.point_type or self._own_type,
                    key,
                    part.points,
                    self.lot_of(original_key, part.number),
                    award_of_part(original_key, part.number),
                    decision.policy,
                    refunded_since(decision),
                    decision.forgiving if part.point_type is None else None,
                    kept.get(part.number, 0),
                ),
                part,
            )
            for part in decision.parts
        ]

    def _kept(self, decision: ClawedBack) -> dict[int, int]:
        """Of which parts the member keeps what money was withheld for: it was spent, so of what waits last."""
        kept: dict[int, int] = {}
        left = decision.withheld
        own = [part for part in decision.parts if part.point_type is None] if left else []
        for part in sorted(own, key=lambda one: (self._waits(decision.original_key, one.number), -one.number)):
            kept[part.number] = min(left, part.points)
            left -= kept[part.number]
        return kept

    def _waits(self, key: bytes, number: int) -> bool:
        place = self._places.get((key, number))
        return self._earlier[key, number].waits if place is None else place.state == "pending"

    def give_back_commands(self, decision: GivenBack, *, is_held: bool) -> list[tuple[Command, TakenPart]]:
        """Give back what the void of an exchange no longer takes of each part, to where it would be by now."""
        key, owner_id = decision.document.natural_key, decision.owner_id
        commands: list[tuple[Command, TakenPart]] = []
        for part in decision.parts:
            was = self._earlier[decision.original_key, part.number]  # an exchange of this batch is not voided in it
            if was.waits:
                commands.append((EarnPending(owner_id, was.point_type, key, part.points, was.lot, was.award), part))
                continue
            commands.append((Earn(owner_id, was.point_type, key, part.points, was.lot), part))
            if is_held:
                left = was.points - was.taken_back
                commands.append((Suspend(owner_id, was.point_type, key, left, was.lot, was.award), part))
        return commands

    def lot_of(self, key: bytes, number: int) -> LotTerms:
        place = self._places.get((key, number))
        return self._earlier[key, number].lot if place is None else place.lot


async def save_parts(transaction: Transaction, awarded: Sequence[Awarded], programme: Programme) -> PartsOfBatch:
    """Keep the parts of awards that have several; where none has, no statement.

    What some points wait for may have been told before: who told of it had the receipt's claim, which is ours by now.
    """
    if not awarded:
        return PartsOfBatch((), programme.point_type, transaction.now.date())
    asking = [decision.document.natural_key for decision in awarded if _waits_for_event(decision)]
    told = await award_events.find(transaction, asking) if asking else []
    parts = PartsOfBatch(
        awarded,
        programme.point_type,
        transaction.now.astimezone(programme.zone).date(),
        {(one.natural_key, one.event): one.told_at.astimezone(programme.zone).date() for one in told},
    )
    await award_parts.save(transaction, parts.rows(awarded))
    return parts


def _waits_for_event(decision: Awarded) -> bool:
    return any(part.key.wait is not None and part.key.wait.event is not None for part in decision.parts)


def known_parts(award: StoredAward) -> tuple[KnownPart, ...]:
    """The parts of an award as a return meets them. Points of the award's own type are the programme's own."""
    return tuple(
        KnownPart(
            part.number,
            PartKey(None if part.point_type == award.point_type else part.point_type, part.terms, part.wait),
            part.points,
            part.taken_back,
            part.state == "lapsed",
        )
        for part in award.parts
    )


def hold_commands(award: StoredAward) -> list[tuple[Command, StoredPart]]:
    """Set aside what is left of the parts that could be spent; what waits stays where it is."""
    return [
        (Suspend(award.owner_id, part.point_type, award.natural_key, left, part.lot, part.award), part)
        for part in award.parts
        if part.state in ("earned", "released") and (left := part.points - part.taken_back)
    ]


def release_commands(award: StoredAward, today: date) -> list[tuple[Command, StoredPart]]:
    """Give back what fraud's hold kept, and release what was due under it; what waits by the rules goes on waiting.

    The parts are as they stand then: those that were due (``held``) are to be settled.
    """
    return [
        released(award, part, today) if part.state == "held" else (_give_back(award, part), part)
        for part in award.parts
        if part.state in ("earned", "released", "held")
    ]


def released(award: StoredAward, part: StoredPart, today: date) -> tuple[Command, StoredPart]:
    """Release a part that waited, and the part as it stands then.

    What waited for its day goes to the lot that it was earned for, whenever this is done; what waited for an event may
    be spent from today on, or from the day on which it would not have waited any longer.
    """
    lot = part.terms
    if part.wait is not None and part.wait.event is not None:
        expiry = None if part.expiry is None else read_expiry(part.expiry)
        lot = released_terms(part.terms, min(today, part.wait.until), expiry)
    command = Release(award.owner_id, part.point_type, award.natural_key, part.terms, part.award, lot)
    return command, replace(part, state="released", lot=lot)


def lapsed(award: StoredAward, part: StoredPart, today: date) -> tuple[list[Command], StoredPart]:
    """Give what is left of a part that waited in vain back to who issued it; nothing left is nothing to give."""
    left, key = part.points - part.taken_back, award.natural_key
    commands: list[Command] = []
    if left:
        commands.append(ClawBack(award.owner_id, part.point_type, key, left, part.lot, part.award))
    return [*commands, *paid_for(award, part, today)], replace(part, state="lapsed")


def paid_for(award: StoredAward, part: StoredPart, today: date) -> list[Command]:
    """Release what is pending of a part besides what is left of it: money was withheld for it, so that it is the
    member's whatever becomes of the rest. To be asked once the rest is taken.
    """
    return [released(award, part, today)[0]] if part.waits and part.taken_back else []


async def take_back_parts(
    transaction: Transaction, clawed_back: Iterable[ClawedBack], given_back: Iterable[GivenBack] = ()
) -> None:
    """Count what was taken of each part, less what no longer counts as taken."""
    points: dict[tuple[bytes, int], int] = {}
    taken = [(decision.original_key, part.number, part.points) for decision in clawed_back for part in decision.parts]
    taken += [(one.original_key, part.number, -part.points) for one in given_back for part in one.uncounted_parts]
    for key, number, part_points in taken:
        points[key, number] = points.get((key, number), 0) + part_points
    if points:
        await award_parts.take_back(transaction, points)


async def save_return_parts(
    transaction: Transaction, posted: Sequence[tuple[ClawedBack, TakenPart, Posted]]
) -> Mapping[bytes, int]:
    """Keep what returns took of each part; how much of each return's own points became debt comes back."""
    rows, owed = [], dict[bytes, int]()
    for decision, part, outcome in posted:
        key, became_debt = decision.document.natural_key, outcome.debt_added - outcome.debt_cleared
        if outcome.points:  # by the rules what is not there may be left
            rows.append(ReturnPartRow(key, part.number, outcome.command.point_type, outcome.points, became_debt))
        if part.point_type is None:
            owed[key] = owed.get(key, 0) + became_debt
    if rows:
        await award_parts.save_returns(transaction, rows)
    return owed


def _place(part: EarnedPart, today: date, came: Mapping[tuple[bytes, str], date], key: bytes) -> _Place:
    wait, terms = part.key.wait, part.key.terms
    if wait is None:
        return _Place("earned", terms)
    told_on = None if wait.event is None else came.get((key, wait.event))
    if told_on is not None and told_on < wait.until:
        return _Place("released", released_terms(terms, min(today, wait.until), part.expiry))
    # What is due by time is earned at once; what has waited in vain for an event is left to whoever goes through it.
    return _Place("pending" if wait.event is not None or today < wait.until else "earned", terms)


def _give_back(award: StoredAward, part: StoredPart) -> Command:
    return Release(award.owner_id, part.point_type, award.natural_key, part.lot, part.award)
