"""What a correction makes of an award's rows, and what the ledger is asked for it.

What is earned no more is taken, what is earned besides is given, each on the terms of its part and to where that one's
points are now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple

from services.accrual.domain.award_parts import EarnedPart, TakenPart, award_of_part
from services.accrual.domain.awarding_anew import AwardedAnew
from services.accrual.domain.correcting import PartThen
from services.accrual.domain.decisions import Awarded, Document
from services.accrual.repository.award_parts import PartRow, StoredPart, row_of
from services.accrual.repository.corrections import CorrectedAward
from services.accrual.use_cases.judge_correction import CorrectionJudged
from services.accrual.use_cases.move_commands import NewParts
from services.accrual.use_cases.save_decisions import stored_decision
from shared.ledger import ClawBack, Command, Earn, EarnPending, LotTerms


class Asked(NamedTuple):
    """What the ledger is asked; of which part, and its number where the award has several."""

    command: ClawBack | Earn | EarnPending
    part: PartThen
    number: int | None


class Corrected(NamedTuple):
    """All that a correction changes: the award, and what the ledger is asked, what is taken first."""

    award: CorrectedAward
    asked: list[Asked]


def corrected_award(
    document: Document, judged: CorrectionJudged, today: date, told: Mapping[str, date], *, is_held: bool
) -> Corrected:
    """What becomes of the award. ``told`` is what its points may have waited for, by the day; ``is_held``: fraud holds
    it, so that what is given besides is set aside with the rest.
    """
    award, own_type = judged.award, judged.award.point_type
    parts, is_in_parts = judged.parts, judged.is_in_parts
    there = {part.number: part for part in award.parts}
    new = _NewOnes(judged, [part for part in parts if part.number not in there], today, told) if is_in_parts else None
    takes, gives = list[Asked](), list[Asked]()
    for part in parts:
        if part.change:
            stored = there.get(part.number)
            lot, waits = _place(stored, new, part, award.terms)
            command = _command(document, judged, part, lot, waits=waits or is_held)
            (takes if part.change < 0 else gives).append(Asked(command, part, part.number if is_in_parts else None))
    kept = sum(part.left for part in parts if part.key.point_type is None)
    kept += sum(
        one.points - one.taken_back for one in award.parts if one.state == "lapsed" and one.point_type == own_type
    )
    points = judged.anew.whole.points
    rows = new.rows if new is not None else []
    changed = [_changed(part, there[part.number]) for part in parts if part.number in there]
    corrected = CorrectedAward(
        natural_key=award.natural_key,
        corrected_by=document.natural_key,
        points=points,
        taken_back=min(points, max(0, points - kept)),
        decision=stored_decision(judged.anew.whole),
        parts=(len(award.parts) + len(rows) or None) if is_in_parts else None,
        changed=changed,
        new_parts=rows,
    )
    return Corrected(corrected, takes + gives)


class _NewOnes:
    """Parts that the award did not have. What an award of one lot gave is one of them from now on, where it stands."""

    def __init__(
        self, judged: CorrectionJudged, parts: Sequence[PartThen], today: date, told: Mapping[str, date]
    ) -> None:
        self.rows: list[PartRow] = []
        self._lots: dict[int, tuple[LotTerms, bool]] = {}
        award = judged.award
        for part in parts:
            if not award.parts and award.points and part.number == 0:
                points = _points(part) or award.points
                row = row_of(award.natural_key, 0, award.point_type, points, award.terms, None, None, "earned")
                self.rows.append(row._replace(taken_back=points - part.left))
                self._lots[0] = award.terms, False
            elif _points(part) and part.earned is not None:
                self._lay(judged, part, part.earned, today, told)

    def place_of(self, number: int) -> tuple[LotTerms, bool]:
        """Its lot, and whether its points wait there."""
        return self._lots[number]

    def _lay(
        self, judged: CorrectionJudged, part: PartThen, earned: EarnedPart, today: date, told: Mapping[str, date]
    ) -> None:
        numbered = earned._replace(number=part.number, points=_points(part))
        sold = Document.of(judged.event, b"")
        awarded = Awarded(sold, judged.frozen.owner_id, judged.anew.whole, (numbered,))
        gone = TakenPart(part.number, part.key.point_type, numbered.points - part.left)
        anew = AwardedAnew(judged.anew.before, judged.anew.whole, judged.anew.after, (numbered,), (gone,))
        (row,) = NewParts(judged.award, awarded, anew, today, told).rows()
        self.rows.append(row)
        lot = part.key.terms
        if row.released_from is not None:
            lot = replace(lot, available_from=row.released_from, expires_on=row.released_expires_on)
        self._lots[part.number] = lot, row.state == "pending"


def _place(stored: StoredPart | None, new: _NewOnes | None, part: PartThen, terms: LotTerms) -> tuple[LotTerms, bool]:
    if stored is not None:
        return stored.lot, stored.waits
    return (terms, False) if new is None else new.place_of(part.number)


def _command(
    document: Document, judged: CorrectionJudged, part: PartThen, lot: LotTerms, *, waits: bool
) -> ClawBack | Earn | EarnPending:
    award, rule_set, owner_id = judged.award, judged.frozen.rule_set, judged.frozen.owner_id
    key, point_type = document.natural_key, part.key.point_type or award.point_type
    of = award_of_part(award.natural_key, part.number)
    if part.change < 0:
        return ClawBack(owner_id, point_type, key, -part.change, lot, of, rule_set.returns.claw_back)
    balance_max = rule_set.balance_max if part.key.point_type is None else None
    if waits:
        return EarnPending(owner_id, point_type, key, part.change, lot, of, balance_max)
    return Earn(owner_id, point_type, key, part.change, lot, balance_max)


def _points(part: PartThen) -> int:
    """What a part gives in all: what the receipt earns of it, or what is left where that is more."""
    return max(part.left, 0 if part.earned is None else part.earned.points)


def _changed(part: PartThen, stored: StoredPart) -> tuple[int, int, int]:
    """A part of which nothing is earned any more stays, all of it taken back: returns know it by its number."""
    points = _points(part) or stored.points
    return part.number, points, points - part.left


def commands_of(asked: Sequence[Asked]) -> list[Command]:
    """What the ledger is asked, in its order."""
    return [one.command for one in asked]
