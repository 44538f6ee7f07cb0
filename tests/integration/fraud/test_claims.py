"""Receipts that were claimed later on a real database: cleared, or held before anybody can spend their points."""

from datetime import timedelta

import httpx2

from shared.events.fraud import CaseOpened, ClaimCleared, PointsHoldReleased, PointsHoldRequested
from shared.events.purchases import PurchaseRecorded
from tests.support.fraud import ANNA, changed, member, purchase, receipt_id
from tests.support.fraud_service import Scoring
from tests.support.registries import bearing


def claimed(number: int, *, by: str | None = None) -> PurchaseRecorded:
    event = purchase(number, by=by)
    return changed(event, claimed_at=event.data.occurred_at + timedelta(hours=2))


async def test_a_claim_is_cleared_or_held_in_the_commit_that_decides_it_and_told_once(scoring: Scoring) -> None:
    await scoring.take(claimed(1), purchase(9))
    await scoring.take(claimed(1), claimed(2), purchase(9))

    told = await scoring.told()
    assert [(type(event), event.data.receipt_id) for event in told if isinstance(event, ClaimCleared)] == [
        (ClaimCleared, receipt_id(1)),
        (ClaimCleared, receipt_id(2)),
    ]
    await scoring.take(claimed(3), claimed(4))
    later = (await scoring.told())[len(told) :]
    assert not any(isinstance(event, ClaimCleared) for event in later)
    holds = [event.data for event in later if isinstance(event, PointsHoldRequested)]
    assert {hold.receipt_id for hold in holds} == {receipt_id(number) for number in (1, 2, 3, 4)}
    assert {(hold.rule_code, hold.version) for hold in holds} == {("CLAIMS", 1)}


async def test_its_case_is_the_programmes_and_names_no_operator(scoring: Scoring, client: httpx2.AsyncClient) -> None:
    await scoring.take(*(claimed(number, by=ANNA) for number in (1, 2, 3)))  # and one about Anna

    opened = {event.data.rule_code: event.data for event in await scoring.told() if isinstance(event, CaseOpened)}
    assert opened.keys() == {"INS_SWIPE", "CLAIMS"}
    case_id = opened["CLAIMS"].case_id
    case = (await client.get(f"/v1/cases/{case_id}", headers=bearing("cases:read"))).json()["case"]
    assert (case["member_id"], case["operator_hash"], case["partner_id"]) == (str(member(1)), None, "~programme")
    bound = bearing("cases:read", client_id="grocer-hq", partner_id="grocer")
    assert (await client.get(f"/v1/cases/{case_id}", headers=bound)).status_code == 404
    listed = (await client.get("/v1/cases", headers=bound)).json()["items"]
    assert [each["rule_code"] for each in listed] == ["INS_SWIPE"]


async def test_what_another_open_case_asks_for_goes_to_that_case_and_is_not_released(
    scoring: Scoring, client: httpx2.AsyncClient
) -> None:
    await scoring.take(*(claimed(number, by=ANNA) for number in (1, 2, 3)), purchase(4, by=ANNA))
    told = await scoring.told()
    case_ids = {event.data.rule_code: event.data.case_id for event in told if isinstance(event, CaseOpened)}

    async def close(rule_code: str) -> list[PointsHoldRequested | PointsHoldReleased]:
        before = len(await scoring.told())
        address = f"/v1/cases/{case_ids[rule_code]}/close"
        answer = await client.post(
            address, json={"outcome": "false_positive", "note": "a family"}, headers=bearing(client_id="investigator")
        )
        assert answer.status_code == 200, answer.text
        later = (await scoring.told())[before:]
        return [event for event in later if isinstance(event, (PointsHoldRequested, PointsHoldReleased))]

    first = await close("INS_SWIPE")
    handed = {event.data.receipt_id: event.data for event in first if isinstance(event, PointsHoldRequested)}
    assert handed.keys() == {receipt_id(number) for number in (1, 2, 3)}
    assert {(data.rule_code, data.case_id, data.version) for data in handed.values()} == {
        ("CLAIMS", case_ids["CLAIMS"], 2)
    }
    held_first = [event.data for event in told if isinstance(event, PointsHoldRequested)]
    assert {data.ends_at for data in handed.values()} == {data.ends_at for data in held_first}
    released = [event.data.receipt_id for event in first if isinstance(event, PointsHoldReleased)]
    assert released == [receipt_id(4)]  # it was shown with a card: nobody else asks for it

    last = await close("CLAIMS")
    assert {(event.data.receipt_id, event.data.version) for event in last} == {(receipt_id(n), 3) for n in (1, 2, 3)}
    assert all(isinstance(event, PointsHoldReleased) for event in last)
