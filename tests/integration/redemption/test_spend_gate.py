"""Before points leave fraud is asked, and the member confirms what looks unusual; over HTTP, on the real tables."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest

from services.fraud.consumer import MemberHandler
from services.redemption.api.member_data import member_data_router
from shared.database import Database
from shared.database.roles import role_name
from shared.events.catalogue import MEMBERS
from shared.events.redemptions import PointsGifted, RedemptionEvent, RedemptionHeld, SpendChallenged
from shared.ids import IdentifierType, hash_identifier, new_id
from shared.one_time_codes import CodeKeys
from tests.support.databases import FreshDatabase
from tests.support.fraud_host import FraudHost
from tests.support.fraud_service import batch_of, fraud_client
from tests.support.identifier_times import linked as linked_at
from tests.support.logged import logged
from tests.support.member_data import read_all, served
from tests.support.member_events import status_changed
from tests.support.receipts import member, merged_into
from tests.support.redemption import KEY, PROGRAMME, Admin, Spending, linked
from tests.support.redemption_service import redemption_service
from tests.support.registries import bearing
from tests.support.until import until

ANNA, BERT = member(1), member(2)
KEYS = "1:" + "5a" * 32
CEILING = 100


@pytest.fixture(scope="module")
async def host() -> AsyncIterator[FraudHost]:
    host = FraudHost()
    async with host.listening():
        yield host


@pytest.fixture(scope="module")
async def module_client(own_database: FreshDatabase, host: FraudHost) -> AsyncIterator[httpx2.AsyncClient]:
    settings: dict[str, Any] = {
        "fraud_url": host.url,
        "token_url": f"{host.url}/oauth/token",
        "code_keys": KEYS,
        "fraud_deadline_ms": 10_000,  # a busy machine is no outage
        "unasked_points_max": CEILING,
    }
    async with redemption_service(own_database, "api", **settings) as client:
        yield client


@pytest.fixture
async def gated(module_client: httpx2.AsyncClient, host: FraudHost, spending: Spending) -> httpx2.AsyncClient:
    """Anna has 1,000 points. Fraud allows everything, until a test says otherwise; its circuit is closed."""
    host.status, host.verdict, host.itself = 200, "allow", None
    await spending.enrol(ANNA, 1_000)
    await spending.enrol(BERT)

    async def is_asked() -> bool:
        await hold(module_client, 10**6)
        return bool(host.asks)

    host.asks.clear()
    await until(is_asked)
    await spending.drain()
    host.asks.clear()
    return module_client


def till() -> dict[str, str]:
    """Headers of the grocer's till, with a new Idempotency-Key."""
    return bearing("redemptions:write", client_id="g", partner_id="grocer")


async def hold(
    client: httpx2.AsyncClient, points: int = 50, headers: dict[str, str] | None = None, **others: Any
) -> httpx2.Response:
    named = {} if "identifier" in others else {"member_id": str(ANNA)}
    body = named | {"points": points} | others
    return await client.post("/v1/redemptions", json=body, headers=headers or till())


def slug(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, str(answer.json()["type"].rpartition("/")[2])


def code_of(challenged: httpx2.Response) -> str:
    """The code that the member reads in the mail."""
    assert challenged.status_code == 202, challenged.text
    return CodeKeys.parse(KEYS).code_of(UUID(challenged.json()["challenge_id"]), "1")


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


async def one_event(spending: Spending) -> RedemptionEvent:
    [event] = await spending.drain()
    return event


async def test_fraud_is_asked_once_a_request_and_its_event_says_so(
    gated: httpx2.AsyncClient, host: FraudHost, spending: Spending
) -> None:
    key = till()
    first, again = await hold(gated, headers=key, store_id="s1"), await hold(gated, headers=key, store_id="s1")
    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    assert host.asks[0] == host.asks[1]
    assert {name: host.asks[0][name] for name in ("kind", "member_id", "points", "partner_id", "store_id")} == {
        "kind": "hold",
        "member_id": str(ANNA),
        "points": 50,
        "partner_id": "grocer",
        "store_id": "s1",
    }
    event = await one_event(spending)
    assert isinstance(event, RedemptionHeld)
    assert (event.data.decided_by, str(event.data.decision_id)) == ("fraud", host.asks[0]["decision_id"])
    host.verdict = "deny"
    assert (await hold(gated, headers=key, store_id="s1")).content == first.content
    assert slug(await hold(gated, headers=key, points=51, store_id="s1")) == (422, "idempotency-key-reused")


async def test_a_denied_hold_stays_denied_and_says_no_more(
    gated: httpx2.AsyncClient, host: FraudHost, spending: Spending
) -> None:
    host.verdict, key = "deny", till()
    answers = [await hold(gated, headers=key) for _ in range(2)]
    assert [slug(answer) for answer in answers] == [(409, "spending-denied")] * 2
    assert await spending.drain() == []
    assert (await spending.balance(ANNA)).held == 0


async def test_a_code_lets_this_hold_go_once_and_no_other(
    gated: httpx2.AsyncClient, host: FraudHost, spending: Spending, admin: Admin
) -> None:
    host.verdict, key, other = "step_up", till(), till()
    with logged(service="redemption", role="api", level="debug") as logs:
        challenged = await hold(gated, headers=key)
        again = await hold(gated, headers=key)  # the till did not hear: no second code
        code = code_of(challenged)
        assert again.json() == challenged.json() | {"tries_left": 5}
        assert (await spending.balance(ANNA)).held == 0
        event = await one_event(spending)
        assert isinstance(event, SpendChallenged)
        assert (event.data.member_id, event.data.points, event.data.kind) == (ANNA, 50, "hold")
        # Of another request, of another amount, of nothing: it lets nothing go.
        assert slug(await hold(gated, headers=other, confirmation_code=code)) == (409, "no-code-sent")
        assert slug(await hold(gated, 51, headers=key, confirmation_code=code)) == (422, "idempotency-key-reused")
        third = till()
        elsewhere = await hold(gated, headers=third)
        assert slug(await hold(gated, headers=third, confirmation_code=code)) == (409, "wrong-code")
        await spending.drain()
        # Twice at once: one goes, and the other is told the same.
        both = await asyncio.gather(*(hold(gated, headers=key, confirmation_code=code) for _ in range(4)))
    assert {answer.status_code for answer in both} <= {201, 409}
    held = [answer for answer in both if answer.status_code == 201]
    assert len({answer.content for answer in held}) == 1
    event = await one_event(spending)
    assert isinstance(event, RedemptionHeld)
    assert event.data.decided_by == "code"
    assert (await spending.balance(ANNA)).held == 50
    assert (await hold(gated, headers=key, confirmation_code=other_than(code))).content == held[0].content
    for name in ("idempotency", "outbox", "redemption_challenges", "redemptions"):
        rows = await admin.fetch(f"select row_to_json(kept)::text from redemption.{name} as kept")
        kept = " ".join(row[0] for row in rows)
        assert not [one for one in (code, code.encode().hex(), code_of(elsewhere)) if one in kept], name
    assert code not in logs.getvalue()


async def test_what_left_under_its_own_id_is_answered_under_another_key_whatever_is_thought_by_then(
    gated: httpx2.AsyncClient, host: FraudHost, spending: Spending
) -> None:
    """The till lost the answer and its key: nobody is sent a code, or told no, for what is reserved already."""
    redemption_id, gift_id = str(new_id()), str(new_id())
    gift = {"gift_id": gift_id, "member_id": str(ANNA), "receiver_id": str(BERT), "points": 10}

    async def give() -> httpx2.Response:
        return await gated.post("/v1/gifts", json=gift, headers=bearing("gifts:write", client_id="app"))

    first, given = await hold(gated, redemption_id=redemption_id), await give()
    assert (first.status_code, given.status_code) == (201, 201)
    await spending.drain()
    for verdict in ("step_up", "deny"):
        host.verdict = verdict
        again, given_again = await hold(gated, redemption_id=redemption_id), await give()
        assert (again.status_code, again.json()["redemption_id"]) == (201, redemption_id), again.text
        assert (given_again.status_code, given_again.json()["gift_id"]) == (201, gift_id), given_again.text
    assert slug(await hold(gated, 51, redemption_id=redemption_id)) == (409, "redemption-id-taken")
    assert slug(await hold(gated, redemption_id=str(new_id()))) == (409, "spending-denied")
    assert await spending.drain() == []
    assert ((await spending.balance(ANNA)).held, (await spending.balance(BERT)).available) == (50, 10)


async def test_five_wrong_codes_end_it_counted_one_by_one(
    gated: httpx2.AsyncClient, host: FraudHost, spending: Spending, admin: Admin
) -> None:
    host.verdict, key = "step_up", till()
    code = code_of(await hold(gated, headers=key))
    answers: Counter[str] = Counter()
    left: list[int] = []
    for _ in range(20):
        for answer in await asyncio.gather(
            *(hold(gated, headers=key, confirmation_code=other_than(code)) for _ in range(3))
        ):
            answers[slug(answer)[1]] += 1
            left += [answer.json()["tries_left"]] if slug(answer)[1] == "wrong-code" else []
        if answers["code-tries-used-up"]:
            break
    assert sorted(left) == [1, 2, 3, 4]
    assert await admin.fetchval("select wrong_tries from redemption.redemption_challenges") == 5
    assert slug(await hold(gated, headers=key, confirmation_code=code)) == (409, "code-tries-used-up")
    assert (await spending.balance(ANNA)).held == 0


async def test_a_code_counts_for_five_minutes(
    gated: httpx2.AsyncClient, host: FraudHost, spending: Spending, admin: Admin
) -> None:
    host.verdict, key, late = "step_up", till(), till()
    code, late_code = code_of(await hold(gated, headers=key)), code_of(await hold(gated, headers=late))
    await spending.advance(admin, timedelta(minutes=4, seconds=30))
    assert (await hold(gated, headers=key, confirmation_code=code)).status_code == 201
    await spending.advance(admin, timedelta(minutes=1))
    for _ in range(2):
        assert slug(await hold(gated, headers=late, confirmation_code=late_code)) == (409, "code-expired")


async def test_a_code_is_not_used_by_what_fails(
    gated: httpx2.AsyncClient, host: FraudHost, spending: Spending, admin: Admin
) -> None:
    """A large hold while facts are old is answered with 503: the code is as good as before."""
    host.verdict, key = "step_up", till()
    await spending.enrol(BERT, 9_000, version=2)
    code = code_of(await hold(gated, 6_000, headers=key, member_id=str(BERT)))
    for _ in range(2):
        assert slug(await hold(gated, 6_000, headers=key, member_id=str(BERT), confirmation_code=code)) == (
            503,
            "facts-behind",
        )
    kept = await admin.fetchrow("select wrong_tries, used_at from redemption.redemption_challenges")
    assert kept is not None
    assert tuple(kept) == (0, None)


async def test_a_code_is_not_used_by_a_refusal_that_may_pass(
    gated: httpx2.AsyncClient, host: FraudHost, spending: Spending
) -> None:
    """Between the registry's two words on a merge nothing is reserved; after it the same request goes, by its code."""
    await spending.enrol(BERT, 100, version=2)
    host.verdict, key = "step_up", till()
    code = code_of(await hold(gated, headers=key, member_id=str(BERT)))
    await spending.members(status_changed(BERT, "merged", 3))
    refused = await hold(gated, headers=key, member_id=str(BERT), confirmation_code=code)
    assert (slug(refused), "retry-after" in refused.headers) == ((409, "member-merged"), True)
    await spending.members(merged_into(ANNA, BERT, 3))

    held = await hold(gated, headers=key, member_id=str(BERT), confirmation_code=code)

    assert (held.status_code, held.json().get("member_id")) == (201, str(ANNA)), held.text
    assert slug(await hold(gated, member_id=str(BERT), confirmation_code=code)) == (409, "no-code-sent")


async def test_codes_have_an_end_and_strangers_get_none(gated: httpx2.AsyncClient, host: FraudHost) -> None:
    host.verdict = "step_up"
    answers = await asyncio.gather(*(hold(gated) for _ in range(12)))
    assert Counter(answer.status_code for answer in answers) == {202: 10, 409: 2}
    assert slug(await hold(gated)) == (409, "too-many-codes")
    assert slug(await hold(gated, member_id=str(member(99)))) == (404, "unknown-member")


async def test_while_fraud_is_away_the_ceiling_decides_and_says_so(
    gated: httpx2.AsyncClient, host: FraudHost, spending: Spending
) -> None:
    host.status = 503
    low, high = till(), till()
    assert (await hold(gated, CEILING, headers=low)).status_code == 201
    event = await one_event(spending)
    assert isinstance(event, RedemptionHeld)
    assert event.data.decided_by == "ceiling"
    assert event.data.decision_id is not None
    challenged = await hold(gated, CEILING + 1, headers=high)
    assert (await hold(gated, CEILING + 1, headers=high, confirmation_code=code_of(challenged))).status_code == 201
    assert (await hold(gated, CEILING, headers=low)).status_code == 201  # the same answer, whatever fraud is


async def test_a_code_that_was_asked_for_is_needed_whatever_the_ceiling_says(
    gated: httpx2.AsyncClient, host: FraudHost
) -> None:
    host.verdict, key = "step_up", till()
    code = code_of(await hold(gated, headers=key))
    host.status = 503
    assert slug(await hold(gated, headers=key, confirmation_code=other_than(code))) == (409, "wrong-code")
    assert (await hold(gated, headers=key, confirmation_code=code)).status_code == 201


async def test_a_card_is_asked_about_as_its_member_and_confirmed_by_the_survivor(
    gated: httpx2.AsyncClient, host: FraudHost, spending: Spending
) -> None:
    card = {"type": "card", "value": "29000001", "entry_method": "scanned"}
    await spending.members(linked(BERT, hash_identifier(IdentifierType.CARD, "29000001", KEY)))
    host.verdict, key = "step_up", till()
    code = code_of(await hold(gated, headers=key, identifier=card))
    assert host.asks[-1]["member_id"] == str(BERT)
    await spending.members(merged_into(ANNA, BERT, 3))
    host.decided[host.asks[-1]["decision_id"]][0]["member_id"] = str(ANNA)  # fraud has heard of it, too
    held = await hold(gated, headers=key, identifier=card, confirmation_code=code)
    assert (held.status_code, held.json()["member_id"]) == (201, str(ANNA))
    stranger = await hold(gated, identifier=card | {"value": "29000002"})
    assert slug(stranger) == (404, "unknown-member")


async def test_gifts_ask_too(gated: httpx2.AsyncClient, host: FraudHost, spending: Spending) -> None:
    body = {"gift_id": str(new_id()), "member_id": str(ANNA), "receiver_id": str(BERT), "points": 70}
    app = bearing("gifts:write", client_id="app")
    host.verdict = "step_up"
    challenged = await gated.post("/v1/gifts", json=body, headers=app)
    code = code_of(challenged)
    assert (host.asks[-1]["kind"], host.asks[-1]["partner_id"]) == ("gift", None)
    wrong = await gated.post("/v1/gifts", json=body | {"confirmation_code": other_than(code)}, headers=app)
    assert (slug(wrong), (await spending.balance(ANNA)).available) == ((409, "wrong-code"), 1_000)
    given = await gated.post("/v1/gifts", json=body | {"confirmation_code": code}, headers=app)
    assert given.status_code == 201, given.text
    _, event = await spending.drain()
    assert isinstance(event, PointsGifted)
    assert event.data.decided_by == "code"
    async with served(member_data_router(spending.database, PROGRAMME)) as client:
        [kept] = [row for row in await read_all(client, ANNA) if row["kind"] == "challenge"]
    assert (kept["spend_kind"], kept["wrong_tries"], kept["used_at"] is not None) == ("gift", 1, True)


async def test_after_a_change_of_identifier_the_member_confirms_and_fraud_itself_says_so(
    gated: httpx2.AsyncClient, host: FraudHost, spending: Spending, own_database: FreshDatabase
) -> None:
    carla = new_id()
    await spending.enrol(carla, 5_000)
    async with spending.database.transaction() as transaction:
        now = transaction.now
    fraud = Database(own_database.url(role_name("fraud")))
    try:
        async with fraud_client(fraud) as host.itself:
            hears = MemberHandler(fraud)
            await hears.handle(batch_of([linked_at(carla, now - timedelta(days=30), 1)], MEMBERS.topic))
            assert (await hold(gated, 1_000, member_id=str(carla))).status_code == 201
            async with spending.database.transaction() as transaction:
                now = transaction.now
            await hears.handle(batch_of([linked_at(carla, now, 2)], MEMBERS.topic))
            assert (await hold(gated, 999, member_id=str(carla))).status_code == 201
            key = till()
            code = code_of(await hold(gated, 1_000, headers=key, member_id=str(carla)))
            let_go = await hold(gated, 1_000, headers=key, member_id=str(carla), confirmation_code=code)
            assert let_go.status_code == 201, let_go.text
    finally:
        host.itself = None
        await fraud.close()
    assert (await spending.balance(carla)).held == 2_999
