"""Rewards over HTTP on the real tables: who gets what, that nothing is oversold or lost, and what comes back."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import httpx2

from services.redemption.use_cases.close_vouchers import expire_vouchers
from services.redemption.use_cases.project import project_tiers
from shared import ledger
from shared.database import Database
from shared.database.roles import role_name
from shared.events.rewards import RewardIssued
from shared.events.tiers import TierData
from shared.ids import new_id
from shared.ledger import Balances, ClawBack, Limits
from tests.support.databases import FreshDatabase
from tests.support.member_data import read_all
from tests.support.member_events import erased, status_changed
from tests.support.receipts import member, merged_into
from tests.support.redemption import NOON, Admin, Spending, earn, partner
from tests.support.redemption_service import redemption_service
from tests.support.registries import bearing
from tests.support.rewards import Catalogue, programme, slug

ANNA, BERT, CARA = (member(number) for number in range(1, 4))
PEOPLE = 40
PIECES = 10


async def words(client: httpx2.AsyncClient, member_id: UUID) -> list[str]:
    answer = await client.get(f"/v1/members/{member_id}/statement", headers=bearing("balances:read"))
    return [line["text"] for line in answer.json()["items"]]


async def expire(spending: Spending) -> int:
    return await spending.do(expire_vouchers)


async def test_a_member_takes_a_reward_and_its_points_are_reserved(catalogue: Catalogue, spending: Spending) -> None:
    await spending.enrol(ANNA, 300)
    await catalogue.offer(pieces=2, cost_minor=180)
    voucher = await catalogue.issued(ANNA)
    assert (voucher["state"], voucher["points"], voucher["partner_id"]) == ("issued", 100, "grocer")
    assert voucher["balance"] == {"available": 200, "held": 100, "pending": 0, "debt": 0}
    assert len(voucher["code"].replace("-", "")) == 21
    assert await catalogue.left() == (2, 1)
    assert (await words(catalogue.client, ANNA))[0] == "Reserved 100 points for a reward at Grocer"
    [event] = await spending.drain()
    assert isinstance(event, RewardIssued)
    assert (event.data.voucher_id, event.data.cost_minor, event.data.balance.held) == (
        UUID(voucher["voucher_id"]),
        180,
        100,
    )
    assert voucher["code"].replace("-", "") not in event.to_bytes().decode()
    shown = await catalogue.client.get(f"/v1/vouchers/{voucher['voucher_id']}/code", headers=programme())
    assert (shown.json()["code"], shown.headers["Cache-Control"]) == (voucher["code"], "no-store")


async def test_forty_ask_at_once_for_ten_pieces(catalogue: Catalogue, spending: Spending) -> None:
    """40 at once for 10 pieces: ten have one each, nobody two, and none is lost; what comes back goes to somebody."""
    people = [member(100 + number) for number in range(PEOPLE)]
    for one in people:
        await spending.enrol(one, 100)
    await catalogue.offer(pieces=PIECES)
    answers = await asyncio.gather(*(catalogue.issue(one) for one in people))
    issued = [answer.json() for answer in answers if answer.status_code == 201]
    assert len(issued) == PIECES
    assert {slug(answer) for answer in answers if answer.status_code != 201} == {(409, "sold-out")}
    assert await catalogue.left() == (PIECES, 0)
    assert len({voucher["code"] for voucher in issued}) == PIECES
    held = [(await spending.balance(one)).held for one in people]
    assert Counter(held) == {100: PIECES, 0: PEOPLE - PIECES}

    back, others = issued[:4], [one for one, points in zip(people, held, strict=True) if not points]
    found = await asyncio.gather(
        *(catalogue.cancel(voucher["voucher_id"]) for voucher in back), *(catalogue.issue(one) for one in others)
    )
    again = sum(answer.status_code == 201 for answer in found[len(back) :])
    assert {answer.status_code for answer in found[: len(back)]} == {200}
    assert await catalogue.left() == (PIECES, len(back) - again)
    assert sum([(await spending.balance(one)).held for one in people]) == (PIECES - len(back) + again) * 100


async def test_a_piece_whose_taker_fails_is_somebody_elses(catalogue: Catalogue, spending: Spending) -> None:
    """One piece, and of two who ask at once for it one has too few points: whoever can pay has it."""
    await catalogue.offer(pieces=1)
    for number in range(5):
        poor, rich = member(200 + number), member(300 + number)
        await spending.enrol(poor, 99)
        await spending.enrol(rich, 100)
        answers = await asyncio.gather(catalogue.issue(poor), catalogue.issue(rich))
        assert answers[1].status_code == 201, answers[1].text
        assert slug(answers[0])[1] in ("insufficient-points", "sold-out")
        assert (await catalogue.cancel(answers[1].json()["voucher_id"])).status_code == 200
        assert await catalogue.left() == (1, 1)


async def test_a_voucher_that_is_asked_for_again_is_one(catalogue: Catalogue, spending: Spending, admin: Admin) -> None:
    await spending.enrol(ANNA, 300)
    await catalogue.offer(pieces=5)
    headers, voucher_id = programme(), str(new_id())
    first = await catalogue.issue(ANNA, voucher_id=voucher_id, headers=headers)
    same_key = await catalogue.issue(ANNA, voucher_id=voucher_id, headers=headers)
    assert same_key.json() == first.json()
    assert same_key.headers["Idempotency-Replayed"] == "true"
    at_once = await asyncio.gather(*(catalogue.issue(ANNA, voucher_id=voucher_id) for _ in range(4)))
    assert all(answer.json() == first.json() for answer in at_once)
    await catalogue.offer("tea", pieces=1)
    assert slug(await catalogue.issue(BERT, voucher_id=voucher_id)) == (409, "voucher-id-taken")
    assert slug(await catalogue.issue(ANNA, "tea", voucher_id=voucher_id)) == (409, "voucher-id-taken")
    assert await catalogue.left() == (5, 4)
    assert len(await spending.drain()) == 1
    code = first.json()["code"].replace("-", "")
    kept = await admin.fetch("select * from redemption.redemption_vouchers")
    kept += await admin.fetch("select body from redemption.idempotency")
    assert code not in str([tuple(row) for row in kept])


async def test_a_cancelled_voucher_gives_its_points_back_to_their_lots(
    catalogue: Catalogue, spending: Spending, admin: Admin
) -> None:
    await spending.enrol(ANNA)
    today = (await spending.now()).date()
    soon = today + timedelta(days=5)
    await spending.do(lambda transaction: ledger.post(transaction, [earn(ANNA, 60, soon), earn(ANNA, 60)]))
    await catalogue.offer(pieces=1)
    voucher_id = (await catalogue.issued(ANNA))["voucher_id"]
    lots = "select expires_on, remaining, reserved from ledger.ledger_lots order by expires_on"
    assert [tuple(row) for row in await admin.fetch(lots)] == [(soon, 0, 60), (None, 20, 40)]
    headers = programme()
    first = await catalogue.cancel(voucher_id, **headers)
    assert (first.json()["state"], first.json()["balance"]["available"]) == ("cancelled", 120)
    assert (await catalogue.cancel(voucher_id, **headers)).content == first.content
    assert (await catalogue.cancel(voucher_id)).json() == first.json()
    assert [tuple(row) for row in await admin.fetch(lots)] == [(soon, 60, 0), (None, 60, 0)]
    assert await catalogue.left() == (1, 1)
    assert await spending.kinds() == ["RewardIssued", "RewardCancelled"]
    code = await catalogue.client.get(f"/v1/vouchers/{voucher_id}/code", headers=programme())
    assert slug(code) == (409, "voucher-cancelled")
    assert slug(await catalogue.cancel(str(new_id()))) == (404, "unknown-voucher")


async def test_what_comes_back_pays_what_is_owed_first(catalogue: Catalogue, spending: Spending) -> None:
    await spending.enrol(ANNA, 100)
    await catalogue.offer()
    voucher_id = (await catalogue.issued(ANNA))["voucher_id"]
    back = ClawBack(ANNA, "points", b"return", 30, earn(ANNA, 1).terms, b"award")
    await spending.do(lambda transaction: ledger.post(transaction, [back]))
    assert slug(await catalogue.issue(ANNA)) == (409, "debt-outstanding")
    assert (await catalogue.cancel(voucher_id)).json()["balance"]["available"] == 70
    assert (await spending.balance(ANNA)).debt == 0


async def test_vouchers_expire_once_and_give_everything_back(
    catalogue: Catalogue, spending: Spending, admin: Admin
) -> None:
    await spending.enrol(ANNA, 500)
    await catalogue.offer(pieces=3, valid_days=7)
    kept = [(await catalogue.issued(ANNA))["voucher_id"] for _ in range(3)]
    assert await expire(spending) == 0
    await spending.advance(admin, timedelta(days=7))
    found = await asyncio.gather(expire(spending), expire(spending), catalogue.cancel(kept[0]))
    cancelled = found[2].status_code == 200
    assert found[0] + found[1] + cancelled >= 2  # what another was busy with waits for the next pass
    await expire(spending)
    assert await expire(spending) == 0
    assert await spending.balance(ANNA) == Balances(available=500)
    assert await catalogue.left() == (3, 3)
    assert Counter(await spending.kinds()) == {
        "RewardIssued": 3,
        "RewardExpired": 3 - cancelled,
        **({"RewardCancelled": 1} if cancelled else {}),
    }
    assert slug(await catalogue.cancel(kept[1])) == (409, "voucher-expired")


async def test_every_refusal_has_a_name_and_changes_nothing(catalogue: Catalogue, spending: Spending) -> None:
    await spending.enrol(ANNA, 250)
    now = await spending.now()
    tomorrow, yesterday = ((now + timedelta(days=days)).isoformat() for days in (1, -1))
    await catalogue.offer("later", offered_from=tomorrow)
    await catalogue.offer("over", offered_until=yesterday)
    await catalogue.offer("past", valid_until=yesterday)
    await catalogue.offer("gone", is_withdrawn=True)
    await catalogue.offer("gold", tiers=["gold"])
    await catalogue.offer("none", pieces=0)
    await catalogue.offer("dear", points=251)
    await catalogue.offer("once", points=1, per_member_max=1)
    for reward_id, name in {
        "later": "reward-not-offered-yet",
        "over": "reward-not-offered-any-more",
        "past": "reward-not-offered-any-more",
        "gone": "reward-withdrawn",
        "gold": "tier-not-entitled",
        "none": "sold-out",
        "dear": "insufficient-points",
    }.items():
        assert slug(await catalogue.issue(ANNA, reward_id)) == (409, name)
    dear = await catalogue.issue(ANNA, "dear")
    assert dear.json()["available"] == 250
    first = await catalogue.issued(ANNA, "once")
    assert slug(await catalogue.issue(ANNA, "once")) == (409, "reward-limit-reached")
    await catalogue.cancel(first["voucher_id"])
    await catalogue.issued(ANNA, "once")
    assert slug(await catalogue.issue(BERT, "once")) == (404, "unknown-member")
    assert slug(await catalogue.issue(ANNA, "nothing")) == (404, "unknown-reward")
    await spending.members(status_changed(ANNA, "spend_locked"))
    assert slug(await catalogue.issue(ANNA, "dear")) == (409, "member-spend-locked")
    await spending.coalition(partner("grocer", "Grocer", 2, is_suspended=True))
    assert slug(await catalogue.issue(ANNA, "dear")) == (409, "partner-suspended")
    assert await spending.balance(ANNA) == Balances(available=249, held=1)


async def test_a_refusal_tells_of_points_that_the_rewards_partner_takes(
    catalogue: Catalogue, spending: Spending
) -> None:
    await spending.enrol(ANNA, 30)
    plain = earn(ANNA, 500)
    elsewhere = replace(plain, terms=replace(plain.terms, limits=Limits(partners=("fuel",))))
    await spending.do(lambda transaction: ledger.post(transaction, [elsewhere]))
    await catalogue.offer()
    refused = await catalogue.issue(ANNA)
    assert (slug(refused), refused.json()["available"]) == ((409, "insufficient-points"), 30)


async def test_a_tier_opens_a_reward(catalogue: Catalogue, spending: Spending) -> None:
    await spending.enrol(ANNA, 300)
    await catalogue.offer("gold", tiers=["gold"])
    told = TierData(
        member_id=ANNA,
        version=1,
        old_tier="basic",
        new_tier="gold",
        reason="qualified",
        effective_at=NOON,
        scheme_version=1,
    )
    await spending.do(lambda transaction: project_tiers(transaction, [told]))
    assert (await catalogue.issued(ANNA, "gold"))["state"] == "issued"


async def test_a_members_limit_holds_however_many_ask_at_once(catalogue: Catalogue, spending: Spending) -> None:
    await spending.enrol(ANNA, 1_000)
    await catalogue.offer(per_member_max=2)
    answers = await asyncio.gather(*(catalogue.issue(ANNA) for _ in range(8)))
    assert Counter(answer.status_code for answer in answers) == {201: 2, 409: 6}
    assert await spending.balance(ANNA) == Balances(available=800, held=200)


async def test_a_members_limit_counts_the_last_days_alone(
    catalogue: Catalogue, spending: Spending, admin: Admin
) -> None:
    await spending.enrol(ANNA, 1_000)
    await catalogue.offer(per_member_max=1, per_member_days=7)
    await catalogue.issued(ANNA)
    await spending.advance(admin, timedelta(days=6))
    refused = await catalogue.issue(ANNA)
    assert (slug(refused), refused.json()["per_member_days"]) == ((409, "reward-limit-reached"), 7)
    await spending.advance(admin, timedelta(days=1, seconds=1))
    await catalogue.issued(ANNA)


async def test_vouchers_of_one_who_was_merged_are_the_survivors(
    catalogue: Catalogue, spending: Spending, own_database: FreshDatabase
) -> None:
    accrual = Database(own_database.url(role_name("accrual")))
    for one in (ANNA, CARA):
        await spending.enrol(one, 200)
    await catalogue.offer(pieces=2, per_member_max=1)
    voucher = await catalogue.issued(ANNA)
    await accrual.run(lambda transaction: ledger.merge(transaction, ANNA, CARA))
    await accrual.close()
    assert slug(await catalogue.issue(ANNA)) in {(503, "facts-behind"), (409, "reward-limit-reached")}
    await spending.members(merged_into(CARA, ANNA, version=9))
    assert slug(await catalogue.issue(CARA)) == (409, "reward-limit-reached")
    for one in (ANNA, CARA):
        listed = await catalogue.client.get(f"/v1/members/{one}/vouchers", headers=programme())
        assert [each["voucher_id"] for each in listed.json()["items"]] == [voucher["voucher_id"]]
    assert (await catalogue.issue(CARA, voucher_id=voucher["voucher_id"])).json()["code"] == voucher["code"]
    assert (await catalogue.cancel(voucher["voucher_id"])).json()["balance"]["available"] == 400
    assert (await spending.balance(CARA)).available == 400


async def test_an_erased_member_has_no_rewards_any_more(catalogue: Catalogue, spending: Spending) -> None:
    await spending.enrol(ANNA, 200)
    await catalogue.offer()
    voucher_id = (await catalogue.issued(ANNA))["voucher_id"]
    told = await read_all(catalogue.client, ANNA)
    [kept] = [item for item in told if item["kind"] == "voucher"]
    assert (kept["voucher_id"], "code" in kept) == (voucher_id, False)
    await spending.members(erased(ANNA))
    assert slug(await catalogue.issue(ANNA)) == (404, "unknown-member")
    listed = await catalogue.client.get(f"/v1/members/{ANNA}/vouchers", headers=programme())
    code = await catalogue.client.get(f"/v1/vouchers/{voucher_id}/code", headers=programme())
    assert (slug(listed), slug(code)) == ((404, "unknown-member"), (404, "unknown-voucher"))
    assert (await catalogue.cancel(voucher_id)).status_code == 200


async def test_a_programme_without_keys_issues_nothing(own_database: FreshDatabase, catalogue: Catalogue) -> None:
    await catalogue.offer()
    async with redemption_service(own_database, "api") as client:
        assert slug(await Catalogue(client).issue(ANNA)) == (409, "vouchers-not-set-up")
