"""What the ledger is asked for awards in parts, and the rows that keep them. An award of one lot comes nowhere near."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from services.accrual.domain.award_parts import EarnedPart, KnownPart, PartKey, TakenPart, award_of_part
from services.accrual.domain.decisions import Awarded, ClawedBack
from services.accrual.repository import award_parts
from services.accrual.repository.award_parts import PartRow, PartState, ReturnPartRow, StoredPart, row_of
from services.accrual.repository.awards import StoredAward
from shared.database import Transaction
from shared.ledger import ClawBack, Command, Earn, EarnPending, LotTerms, Posted, Release, Suspend


class Lots:
    """Where the points of an award's parts are, by award and number, for the returns of a batch."""

    def __init__(self, awarded: Iterable[Awarded], earlier: Iterable[StoredAward]) -> None:
        self._lots: dict[tuple[bytes, int], LotTerms] = {}
        for decision in awarded:
            for part in decision.parts:
                self._lots[decision.document.natural_key, part.number] = part.key.terms
        for award in earlier:
            for stored in award.parts:
                self._lots[award.natural_key, stored.number] = stored.lot

    def of(self, natural_key: bytes, number: int) -> LotTerms:
        """The lot of a part."""
        return self._lots[natural_key, number]


def known_parts(award: StoredAward) -> tuple[KnownPart, ...]:
    """The parts of an award as a return meets them. Points of the award's own type are the programme's own."""
    return tuple(
        KnownPart(
            part.number,
            PartKey(None if part.point_type == award.point_type else part.point_type, part.terms, part.wait),
            part.points,
            part.taken_back,
        )
        for part in award.parts
    )


def state_of(part: EarnedPart, today: date) -> PartState:
    """Whether a part that is awarded today waits: what is awarded late may have been due before."""
    return "pending" if part.key.wait is not None and today < part.key.wait.until else "earned"


def part_rows(awarded: Iterable[Awarded], own_type: str, today: date) -> list[PartRow]:
    """The rows of awards in parts."""
    return [
        row_of(
            decision.document.natural_key,
            part.number,
            part.key.point_type or own_type,
            part.points,
            part.key.terms,
            part.key.wait,
            None if part.expiry is None else part.expiry.model_dump_json(),
            state_of(part, today),
        )
        for decision in awarded
        for part in decision.parts
    ]


def earn_commands(decision: Awarded, own_type: str, today: date, *, is_held: bool) -> list[tuple[Command, EarnedPart]]:
    """Earn each part, to its pending lot where it waits; what fraud holds goes there too."""
    key, owner_id = decision.document.natural_key, decision.owner_id
    commands: list[tuple[Command, EarnedPart]] = []
    for part in decision.parts:
        point_type, terms = part.key.point_type or own_type, part.key.terms
        award = award_of_part(key, part.number)
        balance_max = decision.evaluation.rule_set.balance_max if part.key.point_type is None else None
        if state_of(part, today) == "pending":
            commands.append((EarnPending(owner_id, point_type, key, part.points, terms, award, balance_max), part))
            continue
        commands.append((Earn(owner_id, point_type, key, part.points, terms, balance_max), part))
        if is_held:
            commands.append((Suspend(owner_id, point_type, key, part.points, terms, award), part))
    return commands


def claw_back_commands(decision: ClawedBack, own_type: str, lots: Lots) -> list[tuple[Command, TakenPart]]:
    """Take back what a return took of each part."""
    key, original_key = decision.document.natural_key, decision.original_key
    return [
        (
            ClawBack(
                decision.owner_id,
                part.point_type or own_type,
                key,
                part.points,
                lots.of(original_key, part.number),
                award_of_part(original_key, part.number),
            ),
            part,
        )
        for part in decision.parts
    ]


def hold_commands(award: StoredAward) -> list[tuple[Command, StoredPart]]:
    """Set aside what is left of the parts that could be spent; what waits stays where it is."""
    return [
        (Suspend(award.owner_id, part.point_type, award.natural_key, left, part.lot, part.award), part)
        for part in award.parts
        if not part.waits and part.state != "lapsed" and (left := part.points - part.taken_back)
    ]


def release_commands(award: StoredAward) -> list[tuple[Command, StoredPart]]:
    """Give back what fraud's hold kept; what waits for something else as well goes on waiting."""
    return [
        (Release(award.owner_id, part.point_type, award.natural_key, part.lot, part.award), part)
        for part in award.parts
        if not part.waits and part.state != "lapsed"
    ]


async def take_back_parts(transaction: Transaction, clawed_back: Iterable[ClawedBack]) -> None:
    """Count what returns took of each part."""
    points: dict[tuple[bytes, int], int] = {}
    for decision in clawed_back:
        for part in decision.parts:
            key = decision.original_key, part.number
            points[key] = points.get(key, 0) + part.points
    if points:
        await award_parts.take_back(transaction, points)


async def save_return_parts(
    transaction: Transaction, posted: Sequence[tuple[ClawedBack, TakenPart, Posted]]
) -> Mapping[bytes, int]:
    """Keep what returns took of each part; how much of each return's own points became debt comes back."""
    rows, owed = [], dict[bytes, int]()
    for decision, part, outcome in posted:
        key, became_debt = decision.document.natural_key, outcome.debt_added - outcome.debt_cleared
        rows.append(ReturnPartRow(key, part.number, outcome.command.point_type, part.points, became_debt))
        if part.point_type is None:
            owed[key] = owed.get(key, 0) + became_debt
    if rows:
        await award_parts.save_returns(transaction, rows)
    return owed
