"""The POS door over HTTP, with the real broker and database behind it: what it takes, what it refuses and how."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from services.accrual.app import build
from services.accrual.schemas.documents import ReceiptBody
from services.accrual.settings import AccrualSettings
from services.accrual.use_cases.project_coalition import project_coalition
from shared.content_hash import content_hash
from shared.database import Database
from shared.events.coalition import PartnerChanged, PartnerData, PartnerState
from shared.ids import IdentifierKey, IdentifierType, hash_identifier
from shared.kafka import KafkaSettings
from shared.receipt_key import DocumentKey, encode_receipt_key, natural_key_of, receipt_id_of
from tests.support.accrual import Accrual
from tests.support.databases import FreshDatabase, made_database
from tests.support.receipts import enrolled, linked, member
from tests.support.registries import IDENTIFIER_KEY, bearing
from tests.support.rule_sets import approved, publish
from tests.support.running import running
from tests.support.servers import TestServers
from tests.support.until import until

ANNA = member(1)
ANNAS_CARD = "4000 0000 0001"
TILL_SCOPES = ("receipts:write", "receipts:read")

pytestmark = pytest.mark.usefixtures("programme")


@pytest.fixture(scope="module")
async def own_database(stack: TestServers) -> AsyncIterator[FreshDatabase]:
    async with made_database(stack) as database:
        yield database


@pytest.fixture(scope="module")
async def programme(own_database: FreshDatabase) -> AsyncIterator[Accrual]:
    """A coalition, rules, and Anna with her card."""
    database = Database(own_database.url("tessera_accrual"))
    accrual = Accrual(database)
    await accrual.begin()
    key = IdentifierKey(1, bytes.fromhex(IDENTIFIER_KEY))
    card = hash_identifier(IdentifierType.CARD, ANNAS_CARD.replace(" ", ""), key)
    await accrual.members(enrolled(ANNA), linked(ANNA, card))
    yield accrual
    await database.close()


@pytest.fixture(scope="module")
async def client(
    own_database: FreshDatabase, programme: Accrual, module_kafka_settings: KafkaSettings
) -> AsyncIterator[httpx2.AsyncClient]:
    del programme
    async with running("accrual", AccrualSettings, build, own_database, "both", module_kafka_settings) as client:
        yield client


def document(number: int, **changes: Any) -> dict[str, Any]:
    """A receipt of 10.00 on Anna's card."""
    return {
        "key": {
            "scheme": "sequence",
            "store_id": "s1",
            "till_id": "1",
            "business_date": "2026-11-01",
            "shift": 1,
            "number": number,
        },
        "occurred_at": "2026-11-01T12:00:00-05:00",
        "currency": "USD",
        "identifier": {"type": "card", "value": ANNAS_CARD, "entry_method": "scanned"},
        "total_minor": 1000,
        "lines": [{"line_id": 1, "sku": "1", "category": "GROCERY", "quantity": "1", "amount_minor": 1000}],
        "tenders": [{"kind": "card", "amount_minor": 1000}],
    } | changes


def line(**changes: Any) -> list[dict[str, Any]]:
    return [{"line_id": 1, "sku": "1", "category": "GROCERY", "quantity": "1", "amount_minor": 1000} | changes]


async def post(client: httpx2.AsyncClient, body: Any, partner_id: str = "grocer", **headers: str) -> httpx2.Response:
    return await client.post("/v1/receipts", json=body, headers=bearing(*TILL_SCOPES, partner_id=partner_id) | headers)


async def test_who_waits_is_told_points_and_balance(client: httpx2.AsyncClient) -> None:
    answer = await post(client, document(1), Prefer="wait=20")

    assert answer.status_code == 200
    assert answer.headers["Preference-Applied"] == "wait=20"
    body = answer.json()
    assert (body["status"], body["points"]) == ("awarded", 10)
    assert body["balance"]["available"] >= 10


async def test_what_points_took_off_a_line_earns_as_little_as_if_it_were_a_tender(client: httpx2.AsyncClient) -> None:
    off = {"redemption_id": str(uuid4()), "amount_minor": 400}
    cheaper = line(amount_minor=600, discount_minor=400, points_discounts=[off], unit_price_minor="1000")
    tendered = line(unit_price_minor="1000")
    card = {"kind": "card", "amount_minor": 600}

    as_discount = document(651, total_minor=600, lines=cheaper, tenders=[card])
    as_tender = document(652, lines=tendered, tenders=[card, {"kind": "points"} | off])

    answers = [(await post(client, one, Prefer="wait=20")).json() for one in (as_discount, as_tender)]

    assert [answer["points"] for answer in answers] == [6, 6], answers
    wrong = await post(client, document(653, lines=line(points_discounts=[off])))
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/lines/0/points_discounts")


async def test_who_does_not_wait_is_told_where_to_look(client: httpx2.AsyncClient) -> None:
    answer = await post(client, document(2))

    assert answer.status_code == 202
    status_url = answer.json()["status_url"]

    async def story() -> dict[str, Any] | None:
        found = (await client.get(status_url, headers=bearing("receipts:read", partner_id="grocer"))).json()
        return found if found["status"] == "awarded" else None

    found = await until(story)
    assert found is not None
    assert found["award"]["points"] == 10
    assert "In all: 10 points." in found["trace_in_words"]


async def test_the_same_document_again_is_answered_with_what_became_of_it(client: httpx2.AsyncClient) -> None:
    first = await post(client, document(3), Prefer="wait=20")
    again = await post(client, document(3))

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json()["points"] == 10


async def test_a_document_that_was_hashed_without_a_key_is_known_again(
    client: httpx2.AsyncClient, programme: Accrual
) -> None:
    body = document(5)
    first = await post(client, body, Prefer="wait=20")
    unkeyed = bytes.fromhex(content_hash(ReceiptBody.model_validate_json(json.dumps(body))))
    async with programme.database.transaction() as transaction:
        key = natural_key_of(first.json()["receipt_id"])
        stored = await transaction.raw.fetchval("select content_hash from claims where natural_key = $1", key)
        await transaction.raw.execute("update claims set content_hash = $2 where natural_key = $1", key, unkeyed)

    assert stored != unkeyed
    assert (await post(client, body)).json()["points"] == 10
    assert (await post(client, document(5, lines=line(sku="2")))).status_code == 409


async def test_other_contents_under_the_key_are_a_conflict(client: httpx2.AsyncClient) -> None:
    await post(client, document(4), Prefer="wait=20")

    answer = await post(client, document(4, lines=line(sku="2")))

    assert answer.status_code == 409
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_a_batch_answers_for_each_in_its_order_and_a_bad_one_harms_no_other(client: httpx2.AsyncClient) -> None:
    items = [document(10), {"key": "nonsense"}, document(11, currency="EUR"), document(12)]

    answer = await client.post(
        "/v1/receipts:batch", json={"receipts": items}, headers=bearing(*TILL_SCOPES, partner_id="grocer")
    )

    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [result["status_code"] for result in results] == [202, 422, 422, 202]
    assert results[2]["problem"]["errors"][0]["pointer"] == "/currency"


FUTURE = (datetime.now(UTC) + timedelta(days=2)).isoformat()

BAD = {
    "wrong type": (document(50, total_minor="1000"), "/total_minor"),
    "false for a number": (document(50, total_minor=False), "/total_minor"),
    "negative quantity": (document(50, lines=line(quantity="-1")), "/lines/0/quantity"),
    "negative amount": (document(50, lines=line(amount_minor=-1)), "/lines/0/amount_minor"),
    "another partner": (document(50, partner_id="fuel"), "/partner_id"),
    "lines beyond tolerance": (document(50, total_minor=1010, tenders=[]), "/total_minor"),
    "tenders beyond tolerance": (document(50, tenders=[{"kind": "card", "amount_minor": 900}]), "/tenders"),
    "a line beyond tolerance": (document(50, lines=line(unit_price_minor="990")), "/lines/0/amount_minor"),
    "future": (document(50, occurred_at=FUTURE), "/occurred_at"),
    "naive time": (document(50, occurred_at="2026-11-01T12:00:00"), "/occurred_at"),
    "unknown currency": (document(50, currency="ZZZ"), "/currency"),
    "control characters": (document(50, operator_id="a\u0000b"), "/operator_id"),
    "unknown field": (document(50, bonus=1), "/bonus"),
    "no lines": (document(50, lines=[]), "/lines"),
    "a line twice": (document(50, lines=line(amount_minor=500) * 2), "/lines/1/line_id"),
    "impossible card": (document(50, identifier={"type": "card", "value": "?"}), "/identifier/value"),
    "points tender of nobody": (
        document(50, tenders=[{"kind": "points", "amount_minor": 1000}]),
        "/tenders/0/redemption_id",
    ),
    "a return that names no line": (document(50, type="return"), "/lines/0/original_line_id"),
    "another key scheme": (
        document(50, store_id="s1", till_id="1", key={"scheme": "document", "source": "web", "number": "7"}),
        "/key/scheme",
    ),
}


@pytest.mark.parametrize("case", BAD)
async def test_bad_input_names_the_field_and_writes_nothing(
    case: str, client: httpx2.AsyncClient, programme: Accrual
) -> None:
    body, pointer = BAD[case]

    answer = await post(client, body)

    assert answer.status_code == 422, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert pointer in [error.get("pointer") for error in answer.json()["errors"]]
    async with programme.database.transaction() as transaction:
        assert (
            await transaction.raw.fetchval("select count(*) from claims where natural_key like $1", b"%\x00\x32") == 0
        )


async def test_an_exchange_is_one_document_with_one_payment(client: httpx2.AsyncClient) -> None:
    await post(client, document(600), Prefer="wait=5")
    exchange = document(601) | {
        "type": "exchange",
        "original": document(600)["key"],
        "total_minor": -300,
        "lines": line(amount_minor=400, line_id=1),
        "returned_lines": line(amount_minor=700, line_id=2, original_line_id=1, quantity="0.7"),
        "tenders": [{"kind": "cash", "amount_minor": 300}],
    }

    awarded = await post(client, exchange, Prefer="wait=5")
    again = await post(client, exchange)

    assert (awarded.status_code, awarded.json()["status"], awarded.json()["points"]) == (200, "awarded", 4)
    assert (again.status_code, again.json()["points"]) == (200, 4)
    story = await client.get(f"/v1/receipts/{awarded.json()['receipt_id']}", headers=bearing("receipts:read"))
    assert (story.json()["award"]["points"], story.json()["returned"]["points"]) == (4, 7)
    other = await post(client, exchange | {"total_minor": -200, "tenders": [{"kind": "cash", "amount_minor": 200}]})
    assert other.status_code == 409
    unequal = await post(client, exchange | {"key": document(602)["key"], "total_minor": -200, "tenders": []})
    assert [error["pointer"] for error in unequal.json()["errors"]] == ["/total_minor"]


async def test_small_deviations_are_accepted_and_counted(client: httpx2.AsyncClient) -> None:
    before = await _metric(client, "tessera_accrual_tolerated_sums_total")

    answer = await post(client, document(60, total_minor=1003, tenders=[]))

    assert answer.status_code == 202
    assert await _metric(client, "tessera_accrual_tolerated_sums_total") == before + 1


async def test_malformed_json_is_a_400(client: httpx2.AsyncClient) -> None:
    headers = bearing(*TILL_SCOPES, partner_id="grocer") | {"Content-Type": "application/json"}

    answer = await client.post("/v1/receipts", content=b'{"key": ', headers=headers)

    assert answer.status_code == 400


async def test_a_body_over_a_megabyte_is_refused(client: httpx2.AsyncClient) -> None:
    answer = await post(client, document(61, reason="x" * 1_100_000))

    assert answer.status_code == 413


async def test_a_batch_over_its_limit_is_refused_whole(client: httpx2.AsyncClient) -> None:
    answer = await client.post(
        "/v1/receipts:batch", json={"receipts": [{}] * 501}, headers=bearing(*TILL_SCOPES, partner_id="grocer")
    )

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/receipts"


async def test_credentials(client: httpx2.AsyncClient) -> None:
    nobody = await client.post("/v1/receipts", json=document(62))
    wrong = await client.post("/v1/receipts", json=document(62), headers={"Authorization": "Bearer nonsense"})
    unscoped = await client.post("/v1/receipts", json=document(62), headers=bearing("receipts:read"))

    assert [nobody.status_code, wrong.status_code, unscoped.status_code] == [401, 401, 403]
    assert unscoped.json()["scope"] == "receipts:write"


async def test_another_partners_receipt_and_a_malformed_id_do_not_exist(client: httpx2.AsyncClient) -> None:
    receipt_id = (await post(client, document(63))).json()["receipt_id"]
    headers = bearing("receipts:read", partner_id="fuel")

    foreign = await client.get(f"/v1/receipts/{receipt_id}", headers=headers)
    malformed = await client.get("/v1/receipts/%21%21", headers=headers)

    assert (foreign.status_code, malformed.status_code) == (404, 404)


async def test_a_key_that_nobody_posted_awaits(client: httpx2.AsyncClient) -> None:
    key = DocumentKey(scheme="document", source="web", number="never")
    receipt_id = receipt_id_of(encode_receipt_key("grocer", key))

    answer = await client.get(f"/v1/receipts/{receipt_id}", headers=bearing("receipts:read", partner_id="grocer"))

    assert answer.status_code == 200
    assert answer.json()["status"] == "awaiting"


async def test_an_unknown_till_is_accepted_and_parked(client: httpx2.AsyncClient) -> None:
    key = document(65)["key"] | {"till_id": "new"}
    answer = await post(client, document(65, key=key))
    status_url = answer.json()["status_url"]

    async def parked() -> bool:
        found = (await client.get(status_url, headers=bearing("receipts:read", partner_id="grocer"))).json()
        return bool(found["status"] == "parked" and found["waits_because"] == "unknown_till")

    assert answer.status_code == 202
    assert await until(parked)


async def test_a_till_posts_with_its_own_key_for_itself_only(
    client: httpx2.AsyncClient, programme: Accrual, make_till_key: Callable[[Database], Any]
) -> None:
    till_key = await make_till_key(programme.database)
    headers = {"Authorization": f"Bearer {till_key}", "Idempotency-Key": uuid4().hex}

    own = await client.post("/v1/receipts", json=document(66), headers=headers)
    foreign_key = document(67)["key"] | {"till_id": "2"}
    foreign = await client.post("/v1/receipts", json=document(67, key=foreign_key), headers=headers)

    assert own.status_code == 202, own.text
    assert foreign.status_code == 422
    assert foreign.json()["errors"][0]["pointer"] == "/till_id"


async def test_while_the_broker_is_away_the_till_is_told_to_post_again(
    own_database: FreshDatabase, programme: Accrual
) -> None:
    nobody_listens = KafkaSettings("127.0.0.1:1", partitions=4)

    async with running("accrual", AccrualSettings, build, own_database, "api", nobody_listens) as client:
        answer = await post(client, document(70))

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "2"
    assert answer.json()["type"].endswith("/not-recorded-in-time")
    async with programme.database.transaction() as transaction:
        assert (
            await transaction.raw.fetchval("select count(*) from claims where natural_key like $1", b"%\x00\x46") == 0
        )


async def test_rules_take_effect_a_minute_ahead_at_least(client: httpx2.AsyncClient) -> None:
    rules = [{"id": "new", "name": "New", "effect": {"kind": "points_per_amount", "points": 3, "step_minor": 100}}]
    now = datetime.now(UTC)
    path = await approved(client, {"rules": rules})

    late = await publish(client, path, now)
    in_time = await publish(client, path, now + timedelta(days=300))

    assert late.status_code == 422
    assert in_time.status_code == 200
    assert in_time.json()["version"] == 2


async def _metric(client: httpx2.AsyncClient, name: str) -> float:
    page = (await client.get("/metrics")).text
    return sum(float(row.split()[-1]) for row in page.splitlines() if row.startswith(name))


NOT_OPEN: tuple[tuple[str, PartnerState], ...] = (("newcomer", "preparing"), ("leaver", "left"))


async def test_a_partner_that_is_preparing_or_has_left_posts_nothing(
    client: httpx2.AsyncClient, programme: Accrual
) -> None:
    since = datetime(2026, 1, 1, tzinfo=UTC)
    for partner_id, state in NOT_OPEN:
        data = PartnerData(partner_id=partner_id, version=1, name="P", state=state, in_force_from=since)
        event = PartnerChanged(id=uuid4(), source="test", subject=partner_id, time=since, data=data)
        async with programme.database.transaction() as transaction:
            await project_coalition(transaction, [event])

        refused = await post(client, document(1), partner_id)

        assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (403, "partner-not-open")
        assert refused.json()["detail"]
