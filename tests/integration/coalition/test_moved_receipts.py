"""Receipts that were moved to another member: counted as they are worth now, under the contract of their own time."""

from datetime import datetime, timedelta
from uuid import uuid4

from services.coalition.consumer import wants_points
from shared.events.award_parts import AwardPart
from shared.events.points import ReceiptMoved
from tests.support.contracts import approved, contract_body
from tests.support.exposure import Coalition, Event, clawed_back, earned, lapsed, moved


async def test_a_receipt_that_was_moved_counts_once_as_it_is_worth_now(coalition: Coalition) -> None:
    partner = await coalition.partner()
    now = await coalition.now()
    first, second = uuid4(), uuid4()
    moves = [*moved(partner, 1, first, 100, 150, now), *moved(partner, 1, second, 150, 120, now)]
    assert wants_points({"type": moves[0].type.encode()})

    await coalition.count(moves[0], moves[2])  # the partition of whoever got it was read first
    await coalition.count(earned(partner, 1, 100, now), *moves, clawed_back(partner, 2, 1, 20, now))
    await coalition.count(*moves, earned(partner, 1, 100, now))

    (sums,) = (await coalition.exposure(partner))["points"]
    assert (sums["issued_points"], sums["returned_points"]) == (100 + 150 + 120, 100 + 150 + 20)


async def test_what_is_taken_of_it_later_goes_off_where_the_receipt_was_counted_whatever_its_parts_are_now(
    coalition: Coalition,
) -> None:
    """One lot of one member, two parts of another's; or nothing of the first. A new contract has begun since."""
    partner, at = await two_contracts(coalition)
    now = await coalition.now()
    parts = [of_part(each, part) for each, part in zip(moved(partner, 1, uuid4(), 100, 90, at), (1, None), strict=True)]
    nothing_before = moved(partner, 2, uuid4(), 0, 80, at)[:1]
    told: list[Event] = [
        earned(partner, 1, 100, at),
        *parts,
        *nothing_before,
        clawed_back(partner, 11, 1, 20, now, 1),
        clawed_back(partner, 12, 2, 10, now),
        lapsed(partner, 1, 5, now, 1),
    ]

    await coalition.count(*told[:1])
    await coalition.count(*told[1:4])
    await coalition.count(*told[4:])
    await coalition.count(*told)

    assert await by_contract(coalition, partner) == {1: (100 + 90 + 80, 100 + 20 + 10 + 5)}


async def two_contracts(coalition: Coalition) -> tuple[str, datetime]:
    """A partner whose second contract is in force, and a moment of its first."""
    partner = await coalition.partner(effective_until=(await coalition.now() + timedelta(hours=1)).isoformat())
    at = await coalition.now()
    await approved(coalition.client, contract_body(partner, at + timedelta(hours=1)))
    await coalition.wait(timedelta(hours=2))
    return partner, at


def of_part(event: ReceiptMoved, part: int | None) -> ReceiptMoved:
    said = {"part": None if part is None else AwardPart(number=part)}
    return event.model_copy(update={"data": event.data.model_copy(update=said)})


async def by_contract(coalition: Coalition, partner: str) -> dict[int, tuple[int, int]]:
    """What was issued, and returned, under each contract."""
    async with coalition.database.transaction() as transaction:
        rows = await transaction.raw.fetch("select * from exposure_sums where partner_id = $1", partner)
    return {row["contract_number"]: (row["issued_points"], row["returned_points"]) for row in rows}
