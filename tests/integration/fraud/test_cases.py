"""The queue of cases over HTTP: who sees what, and what closing one does to the awards it holds."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import httpx2
import pytest

from services.fraud.domain.cases import NEVER
from services.fraud.domain.rule_set import ACTIVE_RULE_SET
from services.fraud.use_cases.close_case import close_case
from services.fraud.use_cases.read_cases import find_case
from services.fraud.use_cases.score_purchases import score_purchases
from shared.events.fraud import CaseClosed, CaseOutcome, FraudEvent, PointsHoldReleased, PointsHoldRequested
from shared.receipt_key import receipt_id_of
from tests.support.fraud import BERT, MORNING, member, operator, purchase, receipt_id
from tests.support.fraud_service import ZONE, Scoring, be_patient
from tests.support.registries import bearing
from tests.support.until import until

SWIPES = (1, 2, 3)
NOTE = "He says the card is his sister's."


@pytest.fixture
async def case_id(scoring: Scoring, client: httpx2.AsyncClient) -> str:
    """An open case of three swipes."""
    await scoring.take(*(purchase(number) for number in SWIPES))
    return await _only_case(client)


async def _only_case(client: httpx2.AsyncClient) -> str:
    (case,) = (await client.get("/v1/cases?state=open", headers=bearing())).json()["items"]
    return str(case["case_id"])


async def _close(
    client: httpx2.AsyncClient, case_id: str, outcome: str, headers: dict[str, str] | None = None
) -> httpx2.Response:
    return await client.post(
        f"/v1/cases/{case_id}/close",
        json={"outcome": outcome, "note": NOTE},
        headers=headers or bearing(client_id="investigator"),
    )


async def _told_since(scoring: Scoring, before: int) -> list[FraudEvent]:
    return (await scoring.told())[before:]


async def test_a_case_shows_what_led_to_it(client: httpx2.AsyncClient, case_id: str) -> None:
    file = (await client.get(f"/v1/cases/{case_id}", headers=bearing("cases:read"))).json()

    case = file["case"]
    assert (case["state"], case["outcome"], case["version"], case["receipts"]) == ("open", None, 1, 3)
    assert (case["member_id"], case["operator_hash"]) == (str(member(1)), operator("anna"))
    (signal,) = file["signals"]
    assert (signal["rule_code"], signal["receipt_id"]) == ("INS_SWIPE", receipt_id(3))
    assert (signal["observed"], signal["threshold"], signal["window"]) == (3, 3, "shift")
    assert [held["receipt_id"] for held in file["held_receipts"]] == [receipt_id(number) for number in (3, 2, 1)]
    assert {(held["action"], held["version"]) for held in file["held_receipts"]} == {("hold", 1)}


@pytest.mark.parametrize("outcome", ["false_positive", "valuable_alert"])
async def test_what_was_not_proven_is_released(
    scoring: Scoring, client: httpx2.AsyncClient, case_id: str, outcome: CaseOutcome
) -> None:
    before = len(await scoring.told())
    answer = await _close(client, case_id, outcome)

    assert answer.status_code == 200
    case = answer.json()
    assert (case["state"], case["outcome"], case["version"]) == ("closed", outcome, 2)
    assert (case["closed_by"], case["note"]) == ("investigator", NOTE)
    closed, *releases = await _told_since(scoring, before)
    assert isinstance(closed, CaseClosed)
    assert (closed.data.version, closed.data.outcome) == (2, outcome)
    for release, number in zip(releases, SWIPES, strict=True):
        assert isinstance(release, PointsHoldReleased)
        assert (release.data.receipt_id, release.data.version) == (receipt_id(number), 2)
        assert release.data.reason == "case_closed"
        assert str(release.traceparent)[3:35] == str(closed.traceparent)[3:35]


async def test_what_was_confirmed_stays_held_without_end(
    scoring: Scoring, client: httpx2.AsyncClient, case_id: str
) -> None:
    before = len(await scoring.told())
    assert (await _close(client, case_id, "confirmed")).status_code == 200

    _, *holds = await _told_since(scoring, before)
    for hold, number in zip(holds, SWIPES, strict=True):
        assert isinstance(hold, PointsHoldRequested)
        assert (hold.data.receipt_id, hold.data.version, hold.data.ends_at) == (receipt_id(number), 2, NEVER)


async def test_the_note_stays_in_the_database(scoring: Scoring, client: httpx2.AsyncClient, case_id: str) -> None:
    await _close(client, case_id, "confirmed")
    assert NOTE not in "".join(event.to_bytes().decode() for event in await scoring.told())


async def test_closing_again_with_the_same_outcome_replays_and_with_another_is_refused(
    scoring: Scoring, client: httpx2.AsyncClient, case_id: str
) -> None:
    headers = bearing(client_id="investigator")
    first = await _close(client, case_id, "false_positive", headers)
    told = await scoring.told()

    replayed = await _close(client, case_id, "false_positive", headers)
    by_another = await _close(client, case_id, "false_positive", bearing(client_id="somebody-else"))
    refused = await _close(client, case_id, "confirmed")

    assert (replayed.content, replayed.headers["Idempotency-Replayed"]) == (first.content, "true")
    assert by_another.json() == first.json()
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (409, "case-closed")
    assert await scoring.told() == told


async def test_after_a_false_positive_the_same_receipts_count_for_nothing(
    scoring: Scoring, client: httpx2.AsyncClient, case_id: str
) -> None:
    await _close(client, case_id, "false_positive")
    before = len(await scoring.told())
    await scoring.take(purchase(4), purchase(5))
    assert not await _told_since(scoring, before)

    await scoring.take(purchase(6))

    assert await _only_case(client) != case_id
    assert [held["receipt_id"] for held in (await _file(client))["held_receipts"]] == [
        receipt_id(number) for number in (6, 5, 4)
    ]


async def test_after_a_confirmed_case_the_next_swipe_opens_another(
    scoring: Scoring, client: httpx2.AsyncClient, case_id: str
) -> None:
    await _close(client, case_id, "confirmed")
    await scoring.take(purchase(4))
    assert await _only_case(client) != case_id
    assert [held["receipt_id"] for held in (await _file(client))["held_receipts"]] == [receipt_id(4)]


async def _file(client: httpx2.AsyncClient) -> dict[str, list[dict[str, object]]]:
    answer = await client.get(f"/v1/cases/{await _only_case(client)}", headers=bearing())
    found: dict[str, list[dict[str, object]]] = answer.json()
    return found


async def test_receipts_that_come_while_a_case_is_open_join_it(
    scoring: Scoring, client: httpx2.AsyncClient, case_id: str
) -> None:
    await scoring.take(purchase(4, at=MORNING + timedelta(days=2)), purchase(5, by=BERT))
    file = (await client.get(f"/v1/cases/{case_id}", headers=bearing())).json()
    assert [held["receipt_id"] for held in file["held_receipts"]] == [receipt_id(number) for number in (4, 3, 2, 1)]
    assert file["case"]["receipts"] == 4


async def test_a_receipt_that_comes_while_its_case_is_being_closed_is_judged_without_it(
    scoring: Scoring, client: httpx2.AsyncClient, case_id: str
) -> None:
    async with scoring.database.transaction() as closing:
        await be_patient(closing)
        case = await find_case(closing, UUID(case_id))
        assert case is not None
        await close_case(closing, case, "false_positive", "investigator", None)
        coming = asyncio.create_task(scoring.take(purchase(4)))
        await until(scoring.waits_for_a_lock)

    await coming
    decision = (await client.get(f"/v1/decisions/{receipt_id(4)}", headers=bearing())).json()
    assert (decision["action"], decision["hold"]) == ("none", None)


async def test_a_case_that_is_closed_while_a_receipt_joins_it_settles_that_one_too(
    scoring: Scoring, client: httpx2.AsyncClient, case_id: str
) -> None:
    async with scoring.database.transaction() as joining:
        await be_patient(joining)
        await score_purchases(joining, [purchase(4)], ACTIVE_RULE_SET, ZONE)
        closing = asyncio.create_task(_close(client, case_id, "false_positive"))
        await until(scoring.waits_for_a_lock)

    assert (await closing).json()["receipts"] == 4
    file = (await client.get(f"/v1/cases/{case_id}", headers=bearing())).json()
    assert {held["action"] for held in file["held_receipts"]} == {"release"}


async def test_pages_are_newest_first_and_end(scoring: Scoring, client: httpx2.AsyncClient) -> None:
    for of in range(5):
        await scoring.take(*(purchase(10 * of + number, of=of) for number in SWIPES))
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await client.get(f"/v1/cases?limit=2{cursor}", headers=bearing())).json()
        seen += [case["member_id"] for case in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [str(member(of)) for of in (4, 3, 2, 1, 0)]


async def test_a_partner_sees_its_own_cases_and_decisions_alone(client: httpx2.AsyncClient, case_id: str) -> None:
    own, other = bearing(partner_id="grocer"), bearing(partner_id="fuel")
    for path in (f"/v1/cases/{case_id}", f"/v1/decisions/{receipt_id(1)}"):
        assert (await client.get(path, headers=own)).status_code == 200
        assert (await client.get(path, headers=other)).status_code == 404
    assert len((await client.get("/v1/cases", headers=own)).json()["items"]) == 1
    assert (await client.get("/v1/cases", headers=other)).json()["items"] == []
    assert (await _close(client, case_id, "confirmed", other)).status_code == 404


async def test_scopes_keys_and_outcomes_are_asked_for(client: httpx2.AsyncClient, case_id: str) -> None:
    assert (await client.get("/v1/cases")).status_code == 401
    assert (await client.get("/v1/cases", headers=bearing("rules:read"))).status_code == 403
    assert (await _close(client, case_id, "confirmed", bearing("cases:read"))).status_code == 403
    without_key = {"Authorization": bearing()["Authorization"]}
    assert (await _close(client, case_id, "confirmed", without_key)).status_code == 400
    refused = await _close(client, case_id, "guilty")
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/outcome")
    assert (await _close(client, str(uuid4()), "confirmed")).status_code == 404


async def test_a_decision_explains_every_rule(client: httpx2.AsyncClient, case_id: str) -> None:
    decision = (await client.get(f"/v1/decisions/{receipt_id(3)}", headers=bearing("cases:read"))).json()

    assert (decision["action"], decision["rule_set_version"]) == ("hold", 3)
    assert (decision["hold"]["case_id"], decision["hold"]["version"]) == (case_id, 1)
    swipe, velocity = decision["rules"]
    assert (swipe["rule_code"], swipe["result"]) == ("INS_SWIPE", "hit")
    assert swipe["checks"][0] == {"name": "receipts_in_shift", "observed": 3, "threshold": 3, "window": "shift"}
    assert velocity == {
        "rule_code": "VEL_EARN",
        "rule_set_version": 3,
        "result": "no_hit",
        "checks": [{"name": "receipts_in_day", "observed": 3, "threshold": 6, "window": "day"}],
    }
    first = (await client.get(f"/v1/decisions/{receipt_id(1)}", headers=bearing())).json()
    assert (first["action"], first["hold"]["action"]) == ("none", "hold")  # held with the third


async def test_a_decision_that_a_late_receipt_raised_says_so(scoring: Scoring, client: httpx2.AsyncClient) -> None:
    await scoring.take(purchase(3), purchase(2))
    await scoring.take(purchase(1))
    decision = (await client.get(f"/v1/decisions/{receipt_id(3)}", headers=bearing())).json()
    assert (decision["action"], decision["raised_by_receipt_id"]) == ("hold", receipt_id(1))
    assert decision["rules"][0]["result"] == "hit"
    assert decision["rules"][1]["checks"][0]["observed"] == 1  # as it was recorded first


@pytest.mark.parametrize("unknown", [receipt_id(999), "not base64url", receipt_id_of(b"x")])
async def test_an_unknown_receipt_has_no_decision(client: httpx2.AsyncClient, unknown: str) -> None:
    assert (await client.get(f"/v1/decisions/{unknown}", headers=bearing())).status_code == 404
