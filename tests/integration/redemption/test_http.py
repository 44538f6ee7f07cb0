"""The routes, on a real server: who may call, and what is answered."""

import secrets
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from services.redemption.settings import RedemptionSettings
from services.redemption.use_cases.project import project_coalition
from shared import ledger
from shared.database import Transaction, read_to
from shared.events.catalogue import MEMBERS
from shared.events.coalition import TillChanged, TillData
from shared.ids import IdentifierType, hash_identifier, new_id
from shared.kafka import ReadPosition
from shared.web import till_key_sha256
from tests.support.redemption import KEY, NOON, Spending, earn, linked, paid_with_points, tender_of
from tests.support.registries import bearing
from tests.support.till_calls import ANNA, RECEIPT, fuel, grocer, hold, slug
from tests.support.until import until


async def test_hold_capture_and_read(client: httpx2.AsyncClient, spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)

    held = await hold(client, 400)
    redemption_id = held.json()["redemption_id"]
    captured = await client.post(
        f"/v1/redemptions/{redemption_id}/capture", json={"receipt": RECEIPT, "points": 300}, headers=grocer()
    )
    read = await client.get(f"/v1/redemptions/{redemption_id}", headers=grocer())

    assert held.status_code == 201
    assert held.json()["balance"] == {"available": 600, "held": 400, "pending": 0, "debt": 0}
    assert held.json()["state"] == "held"
    assert captured.status_code == 200
    assert captured.json()["capture"]["released_points"] == 100
    assert captured.json()["balance"]["available"] == 700
    assert read.json()["captured_points"] == 300
    (capture,) = read.json()["captures"]
    assert (capture["points"], capture["late"]) == (300, False)
    await spending.check([ANNA], 1000)


async def test_a_card_or_a_phone_names_the_member(client: httpx2.AsyncClient, spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    phone = hash_identifier(IdentifierType.PHONE, "+12125550123", KEY)
    await spending.members(linked(ANNA, phone))

    held = await hold(client, 10, member_id=None, identifier={"type": "phone", "value": "(212) 555-0123"})

    assert held.json()["member_id"] == str(ANNA)


async def test_a_retry_gets_the_first_answer(client: httpx2.AsyncClient, spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    headers = grocer()

    first = await hold(client, 400, headers=headers)
    again = await hold(client, 400, headers=headers)
    other = await hold(client, 401, headers=headers)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (other.status_code, slug(other)) == (422, "idempotency-key-reused")
    assert (await spending.balance(ANNA)).held == 400


async def test_a_decline_is_answered_again_and_told_once(client: httpx2.AsyncClient, spending: Spending) -> None:
    await spending.enrol(ANNA, 100)
    headers = grocer()

    first = await hold(client, 400, headers=headers)
    await spending.do(lambda transaction: ledger.post(transaction, [earn(ANNA, 1000)]))
    again = await hold(client, 400, headers=headers)

    assert (first.status_code, slug(first)) == (409, "insufficient-points")
    assert first.json()["available"] == 100
    assert again.content == first.content
    assert await spending.kinds() == ["Declined"]


async def test_a_void_and_what_cannot_be_resolved_twice(client: httpx2.AsyncClient, spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = (await hold(client, 400)).json()["redemption_id"]
    at = f"/v1/redemptions/{redemption_id}"

    voided = await client.post(f"{at}/void", headers=grocer())
    again = await client.post(f"{at}/void", headers=grocer())
    captured = await client.post(f"{at}/capture", json={"receipt": RECEIPT}, headers=grocer())

    assert (voided.status_code, voided.json()["released_points"]) == (200, 400)
    assert (again.status_code, slug(again)) == (409, "hold-not-open")
    assert (captured.status_code, slug(captured)) == (409, "hold-not-open")


async def test_a_hold_after_its_receipt_is_refused_by_name(client: httpx2.AsyncClient, spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    paid, parked = new_id(), new_id()
    await spending.settle(tender_of(paid_with_points(1, 400, paid, owner=ANNA)))
    await spending.settle(tender_of(paid_with_points(2, 100, parked)))

    after_its_receipt = await hold(client, 400, redemption_id=str(paid))
    after_a_parked_one = await hold(client, 100, redemption_id=str(parked))

    assert (after_its_receipt.status_code, slug(after_its_receipt)) == (409, "already-captured")
    assert (after_a_parked_one.status_code, slug(after_a_parked_one)) == (409, "already-captured")
    assert (await spending.redemption(parked)).member_id == ANNA  # committed with the refusal


async def test_another_partner_sees_nothing(client: httpx2.AsyncClient, spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = (await hold(client, 400)).json()["redemption_id"]
    at = f"/v1/redemptions/{redemption_id}"

    answers = [
        await client.get(at, headers=fuel()),
        await client.post(f"{at}/void", headers=fuel()),
        await client.post(f"{at}/capture", json={"receipt": RECEIPT}, headers=fuel()),
        await client.post(f"{at}/shrink", json={"points": 1}, headers=fuel()),
        await client.get(f"/v1/redemptions/{uuid4()}", headers=fuel()),
    ]

    assert [answer.status_code for answer in answers] == [404] * 5
    assert (await client.get(at, headers=bearing())).status_code == 200  # the programme's own client
    assert (await spending.balance(ANNA)).held == 400


async def test_the_programmes_clients_say_at_which_partner(client: httpx2.AsyncClient, spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)

    unsaid = await hold(client, 10, headers=bearing())
    said = await hold(client, 10, headers=bearing(), partner_id="fuel")
    wrong = await hold(client, 10, partner_id="fuel")

    assert (unsaid.status_code, unsaid.json()["errors"][0]["pointer"]) == (422, "/partner_id")
    assert said.json()["partner_id"] == "fuel"
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/partner_id")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"points": 0}, "/points"),
        ({"points": -5}, "/points"),
        ({"points": False}, "/points"),
        ({"points": "5"}, "/points"),
        ({"points": 2.5}, "/points"),
        ({"points": 10**30}, "/points"),
        ({"points": 5, "expires_in_seconds": 0}, "/expires_in_seconds"),
        ({"points": 5, "expires_in_seconds": 86_401}, "/expires_in_seconds"),
        ({"points": 5, "expires_in_seconds": 5_184_001, "channel": "order"}, "/expires_in_seconds"),
        ({"points": 5, "channel": "fax"}, "/channel"),
        ({"points": 5, "redemption_id": "x"}, "/redemption_id"),
        ({"points": 5, "currency": "USD"}, "/currency"),
        ({"points": 5, "identifier": {"type": "card", "value": "1234"}}, ""),
        ({"points": 5, "member_id": None}, ""),
        ({"points": 5, "member_id": None, "identifier": {"type": "phone", "value": "x"}}, "/identifier/value"),
        ({"points": 5, "member_id": None, "identifier": {"type": "card", "value": "12\u000034"}}, "/identifier/value"),
    ],
)
async def test_bad_input_names_its_field_and_writes_nothing(
    client: httpx2.AsyncClient, spending: Spending, body: dict[str, Any], pointer: str
) -> None:
    answer = await client.post("/v1/redemptions", json={"member_id": str(ANNA)} | body, headers=grocer())

    assert (answer.status_code, slug(answer)) == (422, "invalid-request")
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert await spending.drain() == []


async def test_credentials_are_asked_for(client: httpx2.AsyncClient) -> None:
    body = {"member_id": str(ANNA), "points": 5}
    reader = bearing("redemptions:read", partner_id="grocer")
    keyless = {"Authorization": grocer()["Authorization"]}

    assert (await client.post("/v1/redemptions", json=body)).status_code == 401
    assert (await client.post("/v1/redemptions", json=body, headers=reader)).status_code == 403
    assert (await client.get(f"/v1/members/{ANNA}/balance", headers=reader)).status_code == 403
    assert (await client.post("/v1/redemptions", json=body, headers=keyless)).status_code == 400


async def test_a_till_spends_with_its_key_until_it_is_revoked(client: httpx2.AsyncClient, spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    key = f"tk_{secrets.token_urlsafe(32)}"

    async def register(version: int, *, is_revoked: bool) -> None:
        data = TillData(
            partner_id="grocer",
            store_id="s1",
            till_id="1",
            version=version,
            key_scheme="sequence",
            key_sha256=till_key_sha256(key),
            is_revoked=is_revoked,
        )
        event = TillChanged(id=new_id(), source="test", subject="1", time=NOON, data=data)
        await spending.do(lambda transaction: project_coalition(transaction, [event]))

    def headers() -> dict[str, str]:
        return {"Authorization": f"Bearer {key}", "Idempotency-Key": uuid4().hex}

    unknown = await hold(client, 10, headers=headers())
    await register(1, is_revoked=False)
    known = await hold(client, 10, headers=headers())
    await register(2, is_revoked=True)

    async def is_refused() -> bool:  # keys are remembered for a few seconds
        return bool((await client.get(f"/v1/members/{ANNA}/balance", headers=headers())).status_code == 401)

    assert await until(is_refused)
    assert (unknown.status_code, known.status_code) == (401, 201)
    assert known.json()["partner_id"] == "grocer"


async def test_every_route_is_described_and_needs_a_scope(client: httpx2.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()

    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert set(document["paths"]) == {
        "/v1/balances:lookup",
        "/v1/checkouts",
        "/v1/gifts",
        "/v1/households/{household_id}/members/{member_id}/statement",
        "/v1/privileges",
        "/v1/privileges/{privilege_id}",
        "/v1/privileges/{privilege_id}/approve",
        "/v1/privileges/{privilege_id}/end",
        "/v1/privileges/{privilege_id}/grants/{member_id}",
        "/v1/privileges:check",
        "/v1/privileges:reserve",
        "/v1/quotes",
        "/v1/retention",
        "/v1/retention/{data_class}",
        "/v1/members/{member_id}/balance",
        "/v1/members/{member_id}/data",
        "/v1/members/{member_id}/statement",
        "/v1/members/{member_id}/statement.csv",
        "/v1/redemptions",
        "/v1/redemptions/{redemption_id}",
        "/v1/redemptions/{redemption_id}/capture",
        "/v1/redemptions/{redemption_id}/shrink",
        "/v1/redemptions/{redemption_id}/refund",
        "/v1/redemptions/{redemption_id}/void",
        "/v1/returns:quote",
        "/v1/rewards",
        *(
            f"/v1/rewards/{{reward_id}}{part}"
            for part in ("", "/issue", "/codes:import", "/pieces:add", "/pieces:remove")
        ),
        *(f"/v1/vouchers/{{voucher_id}}{part}" for part in ("", "/cancel", "/code", "/confirm", "/deliver")),
        "/v1/vouchers:check",
        "/v1/vouchers:use",
        "/v1/members/{member_id}/vouchers",
        "/v1/members/{member_id}/privileges",
        "/v1/tender-exceptions",
        "/v1/tender-exceptions/{exception_id}/settle",
        "/v1/write-off-rules",
        "/v1/write-off-rules:schema",
        *(
            f"/v1/write-off-rules/{{rule_set_id}}{step}"
            for step in ("", "/submit", "/approve", "/refuse", "/publish", "/retire")
        ),
        *(f"/v1/write-off-rules/{{reference}}{part}" for part in ("", "/diff", "/history")),
    }
    assert all(operation["security"][0]["bearer"] for operation in operations)


async def test_a_large_hold_waits_for_fresh_facts_and_a_small_one_does_not(
    client: httpx2.AsyncClient, spending: Spending
) -> None:
    await spending.enrol(ANNA, 100_000)
    headers = grocer() | {"Idempotency-Key": str(uuid4())}
    large = RedemptionSettings.model_fields["hold_points_max_while_behind"].default + 1

    refused = await hold(client, large, headers=headers)

    assert (refused.status_code, slug(refused)) == (503, "facts-behind")
    assert int(refused.headers["retry-after"]) > 0
    assert (await spending.balance(ANNA)).held == 0
    assert (await hold(client, large - 1)).status_code == 201

    await _read_members_to_now(spending)
    taken = await hold(client, large, headers=headers)  # the very same request: a fault was not remembered

    assert taken.status_code == 201, taken.text
    assert (await spending.balance(ANNA)).held == 2 * large - 1


async def _read_members_to_now(spending: Spending) -> None:
    partitions = RedemptionSettings.model_fields["topic_partitions"].default

    async def work(transaction: Transaction) -> None:
        positions = [ReadPosition(MEMBERS.topic, number, 1, transaction.now) for number in range(partitions)]
        await read_to.save(transaction, positions)

    await spending.do(work)
