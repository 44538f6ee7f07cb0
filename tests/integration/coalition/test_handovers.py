"""Goods that were paid ahead are handed over: what their prepayments had earned is taken off, beside what is earned."""

from tests.support.exposure import Coalition, clawed_back, earned


async def test_what_a_handover_takes_of_prepayments_counts_beside_what_it_earns(coalition: Coalition) -> None:
    partner = await coalition.partner()
    now = await coalition.now()
    handed_over = earned(partner, 3, 100, now)
    taken = [clawed_back(partner, 3, number, points, now, cause="handover") for number, points in ((1, 40), (2, 20))]
    await coalition.count(earned(partner, 1, 40, now), earned(partner, 2, 20, now), handed_over)
    await coalition.count(*taken, handed_over, *taken)

    points = (await coalition.exposure(partner))["points"][0]
    assert (points["issued_points"], points["returned_points"]) == (160, 60)
