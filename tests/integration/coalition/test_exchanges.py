"""Exchanges in partners' exposure: both sides once, each under the contract that it belongs to."""

from datetime import timedelta

from services.coalition.consumer import wants_points
from tests.support.contracts import RATE
from tests.support.exposure import Coalition, Event, clawed_back, earned, exchanged


async def test_an_exchange_counts_both_its_sides_once_and_so_does_its_void(coalition: Coalition) -> None:
    grocer = await coalition.partner(rates=[RATE])
    now = await coalition.now()
    told: list[Event] = [
        earned(grocer, 1, 100, now),
        exchanged(grocer, 2, {(1, 0): 60, (1, 1): 5}, {(2, 0): 80, (2, 1): 7}, now),
        clawed_back(grocer, 3, 2, 30, now),
        exchanged(grocer, 4, {(2, 0): 50, (2, 1): 7}, {(1, 0): 60, (1, 1): 5}, now, "void"),
    ]
    assert wants_points({"type": told[1].type.encode()})
    await coalition.count(*told)
    await coalition.count(*reversed(told))

    (sums,) = (await coalition.exposure(grocer))["points"]
    assert (sums["issued_points"], sums["returned_points"]) == (100 + 87 + 65, 65 + 30 + 57)


async def test_a_return_of_exchanged_goods_is_taken_off_where_the_exchange_was_counted(coalition: Coalition) -> None:
    grocer = await coalition.partner(rates=[RATE])
    now = await coalition.now()
    exchange = exchanged(grocer, 2, {}, {(2, 0): 80}, now)
    await coalition.count(earned(grocer, 1, 100, now), exchange)

    await coalition.count(clawed_back(grocer, 3, 2, 80, now + timedelta(days=4_000)))

    (sums,) = (await coalition.exposure(grocer))["points"]
    assert (sums["issued_points"], sums["returned_points"]) == (180, 80)
