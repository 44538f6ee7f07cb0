"""Exposure on a real database: exact, once for ever, told at thresholds once."""

import asyncio
import random
from datetime import timedelta

import pytest

from services.coalition.consumer import PointsHandler, wants_points, wants_spending
from shared.events.contracts import ExposureChanged, PrepaidExhausted, PrepaidLow
from shared.kafka import PermanentError
from tests.support.contracts import RATE, approved, contract_body, partner_is_there
from tests.support.exposure import Coalition, Event, Told, batch_of, captured, clawed_back, earned, lapsed, refunded

PREPAID = {"kind": "prepaid", "amount_minor": 10_000, "alert_percents": [50, 10], "when_exhausted": "refuse"}
CREDIT = {"kind": "postpaid", "amount_minor": 10_000, "alert_percents": [20], "when_exhausted": "refuse"}
RESERVE = PREPAID | {"when_exhausted": "reserve", "reserve_minor": 500}
SECOND = timedelta(seconds=1)


def kinds(told: list[Told]) -> list[str]:
    names = {ExposureChanged: "changed", PrepaidLow: "low", PrepaidExhausted: "exhausted"}
    return [names[type(event)] for event in told]


async def test_the_worked_month(coalition: Coalition) -> None:
    rate = [RATE]
    grocer, fuel, cinema = [await coalition.partner(rates=rate) for _ in range(3)]
    now = await coalition.now()
    await coalition.count(
        earned(grocer, 1, 2_000_000, now),
        clawed_back(grocer, 2, 1, 50_000, now),
        earned(fuel, 1, 800_000, now),
        earned(cinema, 1, 100_000, now),
        captured(grocer, 11, {grocer: 1_200_000}, now),
        captured(fuel, 12, {grocer: 300_000}, now),
        captured(cinema, 13, {fuel: 800_000, cinema: 100_000}, now),
    )
    shown = [await coalition.exposure(partner) for partner in (grocer, fuel, cinema)]
    assert [(each["payable_minor"], each["receivable_minor"]) for each in shown] == [
        (1_950_000, 1_020_000),
        (800_000, 255_000),
        (100_000, 765_000),
    ]
    assert [each["payable_minor"] - each["receivable_minor"] for each in shown] == [930_000, 545_000, -665_000]
    assert sum(each["payable_minor"] for each in shown) == 2_850_000
    assert shown[0]["points"] == [
        {
            "point_type": "points",
            "issued_points": 2_000_000,
            "returned_points": 50_000,
            "redeemed_points": 1_200_000,
            "spent_points": 1_500_000,
            "refunded_points": 0,
            "restored_points": 0,
        }
    ]


async def test_what_is_given_back_is_neither_charged_nor_paid_and_counts_once(coalition: Coalition) -> None:
    taker, issuer = [await coalition.partner(rates=[rate]) for rate in (RATE, RATE | {"settle_on": "redemption"})]
    taken = captured(taker, 21, {taker: 500, issuer: 1_000}, await coalition.now())
    given = refunded(taken, 22, {issuer: 900})
    await coalition.count(taken, given)

    shown = [await coalition.exposure(partner) for partner in (taker, issuer)]
    assert (shown[0]["receivable_minor"], shown[1]["payable_minor"]) == (510, 100)  # for 600 and for 100 points
    same_key = [
        refunded(taken, 22, {taker: 500}, "ab" * 32) for _ in range(2)
    ]  # a void, where a till had said a return
    await coalition.count(given, *same_key, refunded(taken, 23, {issuer: 100}), refunded(taken, 23, {issuer: 100}))

    shown = [await coalition.exposure(partner) for partner in (taker, issuer)]
    assert (shown[0]["receivable_minor"], shown[1]["payable_minor"]) == (0, 0)
    [sums] = shown[0]["points"]
    assert (sums["redeemed_points"], sums["refunded_points"]) == (1_500, 1_500)
    assert (sums["spent_points"], sums["restored_points"]) == (500, 500)


async def test_parts_of_an_award_count_each_by_itself_and_once(coalition: Coalition) -> None:
    grocer = await coalition.partner(rates=[RATE])
    now = await coalition.now()
    told: list[Event] = [
        earned(grocer, 1, 100, now, 0),
        earned(grocer, 1, 200, now, 1, "status"),
        earned(grocer, 1, 50, now, 2),
        clawed_back(grocer, 2, 1, 10, now, 0),
        clawed_back(grocer, 2, 1, 20, now, 1, "status"),
        lapsed(grocer, 1, 50, now, 2),
    ]
    await coalition.count(*told)
    await coalition.count(*reversed(told))

    shown = await coalition.exposure(grocer)
    assert [(each["point_type"], each["issued_points"], each["returned_points"]) for each in shown["points"]] == [
        ("points", 150, 60),
        ("status", 200, 20),
    ]
    assert shown["payable_minor"] == 90  # nobody pays for status points: no rate names them


async def test_where_points_are_settled_on_redemption_only_spent_ones_are_owed(coalition: Coalition) -> None:
    issuer = await coalition.partner(rates=[RATE | {"settle_on": "redemption"}])
    taker = await coalition.partner()
    now = await coalition.now()
    await coalition.count(earned(issuer, 1, 100_000, now))
    assert (await coalition.exposure(issuer))["payable_minor"] == 0
    await coalition.count(captured(taker, 1, {issuer: 30_000, taker: 5_000}, now))
    assert (await coalition.exposure(issuer))["payable_minor"] == 30_000
    assert (await coalition.exposure(taker))["receivable_minor"] == 29_750


async def test_money_is_rounded_once_at_the_partners_sum(coalition: Coalition) -> None:
    half_a_cent = [RATE | {"issue_price": "0.005", "redemption_price": "0.0015"}]
    partner = await coalition.partner(rates=half_a_cent)
    now = await coalition.now()
    for number, expected in ((1, 0), (2, 1), (3, 2), (4, 2), (5, 2), (6, 3)):  # 0.5 1 1.5 2 2.5 3 cents, half to even
        await coalition.count(earned(partner, number, 1, now))
        assert (await coalition.exposure(partner))["payable_minor"] == expected


@pytest.mark.parametrize("seed", range(4))
async def test_a_replay_of_both_topics_in_any_batches_changes_nothing(coalition: Coalition, seed: int) -> None:
    chance = random.Random(seed)
    partners = [await coalition.partner(funding=PREPAID), await coalition.partner(funding=CREDIT)]
    now = await coalition.now()
    stream: list[Event] = []
    for number in range(30):
        partner = chance.choice(partners)
        points = chance.randint(1, 30_000)
        stream.append(earned(partner, number, points, now))
        if chance.random() < 0.4:
            stream.append(clawed_back(partner, 1_000 + number, number, chance.randint(1, points), now))
        if chance.random() < 0.4:
            stream.append(captured(chance.choice(partners), 2_000 + number, {partner: chance.randint(1, 9_999)}, now))
    await coalition.count(*stream)
    counted = [await coalition.exposure(partner) for partner in partners]
    await coalition.review()
    told = [len(await coalition.told(partner)) for partner in partners]
    for _ in range(2):
        rest = list(stream)
        while rest:
            size = chance.randint(1, 12)
            batch, rest = rest[:size], rest[size:]
            # The same effects again; some under an event of another id, as a sender that lost its answer sends them.
            await coalition.count(*[event.model_copy(update={"traceparent": None}) for event in batch])
    replayed = [await coalition.exposure(partner) for partner in partners]
    assert replayed == counted
    assert [len(await coalition.told(partner)) for partner in partners] == told


async def test_however_the_stream_is_cut_the_sums_are_the_same(coalition: Coalition) -> None:
    one, other = await coalition.partner(), await coalition.partner()
    now = await coalition.now()
    points = [7, 13, 1, 999, 12_345, 50]
    await coalition.count(*[earned(one, number, each, now) for number, each in enumerate(points)])
    for number, each in enumerate(points):
        await coalition.count(earned(other, number, each, now), earned(other, number, each, now))
    shown = [await coalition.exposure(partner) for partner in (one, other)]
    assert shown[0]["points"] == shown[1]["points"]
    assert shown[0]["payable_minor"] == shown[1]["payable_minor"]


async def test_workers_that_count_the_same_points_at_once_count_them_once(coalition: Coalition) -> None:
    partner = await coalition.partner()
    now = await coalition.now()
    events = [earned(partner, number, 100, now) for number in range(20)]
    await asyncio.gather(*(coalition.count(*random.Random(seed).sample(events, 20)) for seed in range(4)))
    assert (await coalition.exposure(partner))["points"][0]["issued_points"] == 2_000


async def test_points_are_priced_by_the_contract_of_their_receipts_time(coalition: Coalition) -> None:
    partner = f"priced-{random.randint(0, 10**9)}"
    await partner_is_there(coalition.client, partner)
    start = await coalition.now() + timedelta(minutes=2)
    change = start + timedelta(days=1)
    await approved(coalition.client, contract_body(partner, start, change))
    await approved(coalition.client, contract_body(partner, change, rates=[RATE | {"issue_price": "0.02"}]))
    await coalition.wait(timedelta(days=2))
    await coalition.count(
        earned(partner, 1, 100, start - timedelta(hours=1)),  # before the first contract: counted, and costs nothing
        earned(partner, 2, 100, change - SECOND),
        earned(partner, 3, 100, change),
        clawed_back(partner, 4, 2, 40, change + timedelta(hours=1)),  # taken off where its purchase was counted
    )
    shown = await coalition.exposure(partner)
    assert shown["payable_minor"] == 60 + 200
    assert shown["points"][0]["issued_points"] == 300

    # What names no purchase is taken off where it occurred, whenever that was decided.
    later = change + timedelta(hours=2)
    unlinked = [clawed_back(partner, number, number, 10, later, occurred_at=change - SECOND) for number in (5, 5)]
    await coalition.count(*unlinked)
    assert (await coalition.exposure(partner))["payable_minor"] == 50 + 200

    # What a correction gives besides bears its receipt's time, of one that had earned nothing before, too.
    corrections: list[Event] = [
        earned(partner, 6, 50, change - SECOND),
        clawed_back(partner, 7, 8, 10, later, occurred_at=change - SECOND),
    ]
    for _ in range(2):
        await coalition.count(*corrections)
    assert (await coalition.exposure(partner))["payable_minor"] == 50 + 200 + 50 - 10


async def test_alerts_and_exhaustion_are_told_once_a_crossing_and_again_after_a_payment(coalition: Coalition) -> None:
    partner = await coalition.partner(funding=PREPAID)
    assert (await coalition.top_up(partner, "first", 10_000)).status_code == 201
    now = await coalition.now()
    number = 0

    async def issue(minor: int) -> list[str]:
        nonlocal number
        number += 1
        before = len(await coalition.told(partner))
        await coalition.count(earned(partner, number, minor, now))  # a point costs a cent
        return kinds((await coalition.told(partner))[before:])

    assert await issue(4_000) == []  # within a second of the last news, and no threshold
    assert await issue(1_500) == ["changed", "low"]  # 4,500 left: half
    assert await issue(100) == []
    assert await issue(3_500) == ["changed", "low"]  # 900 left: a tenth
    assert await issue(900) == ["changed", "exhausted"]
    assert await issue(50) == []
    assert (await coalition.exposure(partner))["overshoot_minor"] == 50
    before = len(await coalition.told(partner))
    assert (await coalition.top_up(partner, "second", 550)).status_code == 201
    assert kinds((await coalition.told(partner))[before:]) == ["changed"]  # 500 left: up, and low still
    assert await issue(500) == ["changed", "exhausted"]
    last = (await coalition.told(partner))[-1]
    assert isinstance(last, PrepaidExhausted)
    assert (last.data.left_minor, last.data.alert_percent) == (0, 0)


async def test_a_contract_without_money_is_exhausted_when_it_begins(coalition: Coalition) -> None:
    partner = await coalition.partner(funding=PREPAID)
    assert await coalition.told(partner) == []
    await coalition.review()
    changed, exhausted = await coalition.told(partner)
    assert isinstance(changed, ExposureChanged)
    assert isinstance(exhausted, PrepaidExhausted)
    assert (changed.data.standing, changed.data.version, changed.data.left_minor) == ("exhausted", 1, 0)
    await coalition.review()
    assert len(await coalition.told(partner)) == 2


async def test_that_nothing_is_left_is_told_again_until_it_is_paid_for(coalition: Coalition) -> None:
    partner = await coalition.partner(funding=PREPAID)
    await coalition.review()
    first = await coalition.told(partner)
    for _ in range(2):
        await coalition.wait(10 * SECOND)
        await coalition.review()
    told = (await coalition.told(partner))[len(first) :]
    assert kinds(told) == ["changed", "changed"]  # the alert itself is told once
    assert [event.data.version for event in told] == [2, 3]
    assert {event.data.standing for event in told if isinstance(event, ExposureChanged)} == {"exhausted"}
    assert first[0].time + 20 * SECOND <= told[-1].time
    await coalition.top_up(partner, "paid", 10_000)
    before = len(await coalition.told(partner))
    await coalition.wait(20 * SECOND)
    await coalition.review()
    assert len(await coalition.told(partner)) == before


async def test_a_reserve_is_used_before_the_partner_is_refused(coalition: Coalition) -> None:
    partner = await coalition.partner(funding=RESERVE)
    now = await coalition.now()
    standings = []
    for number, minor in enumerate((499, 1)):
        await coalition.count(earned(partner, number, minor, now))
        standings.append((await coalition.exposure(partner))["standing"])
    assert standings == ["reserve", "exhausted"]
    assert (await coalition.exposure(partner))["overshoot_minor"] == 0


async def test_a_credit_limit_is_used_by_what_is_owed_and_freed_by_payments(coalition: Coalition) -> None:
    partner = await coalition.partner(funding=CREDIT)
    now = await coalition.now()
    await coalition.count(earned(partner, 1, 8_500, now))
    shown = await coalition.exposure(partner)
    assert (shown["credit_used_minor"], shown["left_minor"], shown["standing"]) == (8_500, 1_500, "low")
    assert shown["prepaid_balance_minor"] is None
    await coalition.top_up(partner, "paid", 8_000)
    shown = await coalition.exposure(partner)
    assert (shown["credit_used_minor"], shown["left_minor"], shown["standing"]) == (500, 9_500, "open")
    assert set(kinds(await coalition.told(partner))) == {"changed"}  # a credit limit has no prepaid block


async def test_what_crosses_nothing_is_told_at_most_once_a_second_and_not_forgotten(coalition: Coalition) -> None:
    partner = await coalition.partner(funding=CREDIT)
    now = await coalition.now()
    for number in range(5):
        await coalition.count(earned(partner, number, 10, now))
    await coalition.review()
    versions = [event.data.version for event in await coalition.told(partner)]
    assert versions == [1]
    await coalition.wait(2 * SECOND)
    await coalition.review()
    told = await coalition.told(partner)
    assert [event.data.version for event in told] == [1, 2]
    assert isinstance(told[-1], ExposureChanged)
    assert told[-1].data.payable_minor == 50


async def test_a_partner_without_a_contract_is_counted_and_not_told_of(coalition: Coalition) -> None:
    partner = f"free-{random.randint(0, 10**9)}"
    await partner_is_there(coalition.client, partner)
    await coalition.count(earned(partner, 1, 100, await coalition.now()))
    await coalition.review()
    shown = await coalition.exposure(partner)
    assert (shown["points"][0]["issued_points"], shown["payable_minor"], shown["standing"]) == (100, 0, "open")
    assert await coalition.told(partner) == []


async def test_a_receipt_id_that_is_none_is_a_dead_letter(coalition: Coalition) -> None:
    event = earned("p", 1, 5, await coalition.now())
    broken = event.model_copy(update={"data": event.data.model_copy(update={"receipt_id": "not base64url!"})})
    with pytest.raises(PermanentError):
        await PointsHandler(coalition.database).handle(batch_of([broken]))


def test_records_of_other_types_are_skipped_undecoded() -> None:
    assert wants_points({"type": b"loyalty.points.earned.v1"})
    assert wants_points({})
    assert not wants_points({"type": b"loyalty.points.pending.v1"})
    assert wants_spending({"type": b"loyalty.redemption.captured.v1"})
    assert wants_spending({"type": b"loyalty.redemption.refunded.v1"})
    assert wants_spending({"type": b"loyalty.reward.returned.v1"})
    assert wants_spending({"type": b"loyalty.reward.used.v1"})
    assert not wants_spending({"type": b"loyalty.redemption.held.v1"})
