"""Keeps what returns and voids bring back: at the awards before the ledger is asked, in rows once it has answered."""

from collections.abc import Mapping, Sequence

from services.accrual.domain.award_parts import TakenPart
from services.accrual.domain.decisions import ClawedBack, GivenBack
from services.accrual.repository import awards, decided_returns
from services.accrual.repository.awards import StoredAward
from services.accrual.repository.decided_returns import ReturnRow
from services.accrual.use_cases.exchange_sides import Asked
from services.accrual.use_cases.part_commands import save_return_parts, take_back_parts
from shared.database import Transaction
from shared.ledger import ClawBack, LotTerms, Posted


async def take_back(
    transaction: Transaction,
    clawed_back: Sequence[ClawedBack],
    given_back: Sequence[GivenBack],
    terms: Mapping[bytes, LotTerms],
) -> dict[bytes, StoredAward]:
    """Count what is taken back at each award, and what no longer is; the awards that are not of this batch."""
    if not clawed_back:
        return {}
    points: dict[bytes, int] = {}
    for decision in clawed_back:
        points[decision.original_key] = points.get(decision.original_key, 0) + decision.points
    for one in given_back:
        points[one.original_key] = points.get(one.original_key, 0) - one.uncounted
    await awards.take_back(transaction, points)
    await take_back_parts(transaction, clawed_back, given_back)
    voids = {one.original_key: one.document.natural_key for one in clawed_back if one.cause == "void"}
    if voids:
        await awards.void(transaction, voids)
    return await awards.lock_awards(transaction, [key for key in points if key not in terms])


async def save_returns(
    transaction: Transaction,
    clawed_back: Sequence[ClawedBack],
    posted: Sequence[tuple[Asked, Posted]],
    own_type: str,
) -> None:
    """Keep what returns brought back; those that took no points never went to the ledger."""
    if not clawed_back:
        return
    of_parts, owed, clipped, lacked = [], dict[bytes, int](), dict[bytes, int](), dict[bytes, int]()
    for (decision, command, part, _), outcome in posted:
        key = decision.document.natural_key
        if isinstance(command, ClawBack) and outcome.shortfall and command.point_type == own_type:
            clipped[key] = clipped.get(key, 0) + outcome.shortfall
        if outcome.lacking:
            lacked[key] = lacked.get(key, 0) + outcome.lacking
        if isinstance(decision, ClawedBack) and isinstance(part, TakenPart):
            of_parts.append((decision, part, outcome))
        elif isinstance(decision, ClawedBack):
            owed[key] = outcome.debt_added - outcome.debt_cleared
    owed |= await save_return_parts(transaction, of_parts)
    rows = [
        _return_row(decision, owed.get(key, 0), clipped.get(key, 0), lacked.get(key, 0))
        for decision in clawed_back
        for key in (decision.document.natural_key,)
    ]
    await decided_returns.save(transaction, rows)


def _return_row(decision: ClawedBack, became_debt: int, clipped: int, lacked: int) -> ReturnRow:
    return ReturnRow(
        natural_key=decision.document.natural_key,
        original_key=decision.original_key,
        owner_id=decision.owner_id,
        points=decision.points - clipped - decision.withheld,
        became_debt=became_debt,
        clipped=clipped,
        returned_thousandths=decision.returned_thousandths,
        cause=decision.cause,
        lacked=lacked,
        withheld=decision.withheld,
    )
