"""Vouchers that tills took, counted for their partners."""

from tests.support.contracts import RATE
from tests.support.exposure import Coalition, captured, reward_returned, reward_used


async def test_a_used_voucher_counts_as_what_was_redeemed_and_once(coalition: Coalition) -> None:
    grocer, fuel = [await coalition.partner(rates=[RATE]) for _ in range(2)]
    now = await coalition.now()
    used = reward_used(fuel, 31, {grocer: 700, fuel: 300}, now)
    # The till's receipt is another's, and the points are counted by the voucher.
    await coalition.count(used, captured(fuel, 31, {fuel: 100}, now), used)
    await coalition.count(reward_used(fuel, 31, {grocer: 700, fuel: 300}, now))
    [sums] = (await coalition.exposure(fuel))["points"]
    assert (sums["redeemed_points"], sums["spent_points"]) == (1_100, 400)
    [sums] = (await coalition.exposure(grocer))["points"]
    assert (sums["redeemed_points"], sums["spent_points"]) == (0, 700)


async def test_a_returned_voucher_is_taken_off_once_whichever_is_heard_first(coalition: Coalition) -> None:
    for is_use_first in (True, False):
        grocer, fuel = [await coalition.partner(rates=[RATE]) for _ in range(2)]
        now = await coalition.now()
        used = reward_used(fuel, 41 + is_use_first, {grocer: 700, fuel: 300}, now)
        back = reward_returned(used, 90)
        await coalition.count(*((used, back) if is_use_first else (back, used)), used, back)
        await coalition.count(reward_returned(used, 90))
        [sums] = (await coalition.exposure(fuel))["points"]
        assert (sums["redeemed_points"], sums["refunded_points"]) == (1_000, 1_000)
        assert (sums["spent_points"], sums["restored_points"]) == (300, 300)
        [sums] = (await coalition.exposure(grocer))["points"]
        assert (sums["redeemed_points"], sums["spent_points"], sums["restored_points"]) == (0, 700, 700)
