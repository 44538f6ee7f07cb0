"""What the ledger is asked for a receipt that is moved: what is left of its award is taken, part by part, and what was
awarded anew is given. Both under the receipt's key, on the terms by which it was earned.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from services.accrual.domain.award_parts import EarnedPart
from services.accrual.domain.awarding_anew import AwardedAnew
from services.accrual.domain.decisions import Awarded
from services.accrual.repository.award_parts import PartRow
from services.accrual.repository.awards import StoredAward
from services.accrual.use_cases.part_commands import PartsOfBatch
from shared.ledger import ClawBack, ClawBackPolicy, Earn, EarnPending


class AskedTaken(NamedTuple):
    """What is taken; ``number`` of which part, where the award has several."""

    command: ClawBack
    number: int | None


class AskedGiven(NamedTuple):
    """What is given; ``part`` where the award has several."""

    command: Earn | EarnPending
    part: EarnedPart | None


def taking(award: StoredAward, owner_id: UUID, policy: ClawBackPolicy) -> list[AskedTaken]:
    """Take what is left of an award: what waits first, then what is available; the rest as the rules say of returns."""
    key = award.natural_key
    if award.parts:
        return [
            AskedTaken(ClawBack(owner_id, part.point_type, key, left, part.lot, part.award, policy), part.number)
            for part in award.parts
            if (left := part.points - part.taken_back)
        ]
    left = award.points - award.taken_back
    claw_back = ClawBack(owner_id, award.point_type, key, left, award.terms, key, policy) if left else None
    return [AskedTaken(claw_back, None)] if claw_back else []


class NewParts:
    """The parts of what is awarded anew: their rows, and what the ledger is asked for them.

    What points wait for may have been told already, or their last day be over: they are released as of the day on which
    those of the award were.
    """

    def __init__(
        self, award: StoredAward, awarded: Awarded, anew: AwardedAnew, today: date, told: Mapping[str, date]
    ) -> None:
        self._award = award
        self._awarded = awarded
        self._anew = anew
        self._today = today
        self._told = told

    def rows(self) -> list[PartRow]:
        """The parts as they stand from now on: what had come back before is taken of them."""
        return [
            row._replace(taken_back=self._anew.taken_of(part))
            for part in self._awarded.parts
            for row in self._alone(part).rows([self._awarded._replace(parts=(part,))])
        ]

    def giving(self) -> list[AskedGiven]:
        """Give what was awarded anew, less what had come back before; what still waits goes on waiting."""
        award, awarded, points = self._award, self._awarded, self._anew.given_points
        if not awarded.parts:
            balance_max = awarded.evaluation.rule_set.balance_max
            if not points:
                return []
            earn = Earn(awarded.owner_id, award.point_type, award.natural_key, points, award.terms, balance_max)
            return [AskedGiven(earn, None)]
        return [
            AskedGiven(command, part)
            for part in awarded.parts
            if (left := part.points - self._anew.taken_of(part))
            for command, _ in self._alone(part).earn_commands(
                awarded._replace(parts=(part._replace(points=left),)), is_held=False
            )
            if isinstance(command, Earn | EarnPending)
        ]

    def _alone(self, part: EarnedPart) -> PartsOfBatch:
        """A part by itself, by the day on which it is released or earned."""
        key, event = self._award.natural_key, None if part.key.wait is None else part.key.wait.event
        day, came = self._today, dict[tuple[bytes, str], date]()
        if event is not None and (released_on := self._released_on(part)) is not None:
            day, came = (
                released_on,
                {(key, event): part.key.terms.available_from},
            )  # as if it came
        elif event is not None and event in self._told:
            day, came = self._told[event], {(key, event): self._told[event]}
        return PartsOfBatch([self._awarded._replace(parts=(part,))], self._award.point_type, day, came)

    def _released_on(self, part: EarnedPart) -> date | None:
        """The day on which the award's own points that waited for the same were released, by the event or at last."""
        released = (one for one in self._award.parts if one.state == "released" and one.wait == part.key.wait)
        return next((one.lot.available_from for one in released), None)


def days_of_expiry(award: StoredAward, rows: Sequence[PartRow]) -> list[date | None]:
    """The first days on which what is taken, and what is given, may be spent no more."""
    had = [part.lot.expires_on for part in award.parts] if award.parts else [award.terms.expires_on]
    given = [row.released_expires_on if row.released_from else row.expires_on for row in rows]
    return [*had, *(given if rows else [award.terms.expires_on])]
