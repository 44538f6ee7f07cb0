"""Contracts over HTTP: two people, one contract at a time, terms that stand."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx2
import pytest

from shared.database import Database
from shared.events.catalogue import COALITION
from shared.events.contracts import ContractPublished
from tests.support.contracts import (
    APPROVER,
    AUTHOR,
    PREPAID,
    RATE,
    act,
    approved,
    business_time,
    contract_body,
    drafted,
    partner_is_there,
    slug,
    submitted,
)
from tests.support.outbox_rows import recorded_events
from tests.support.registries import bearing

YEAR = timedelta(days=365)
BEGINS = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
async def grocer(client: httpx2.AsyncClient) -> str:
    """A partner without a contract."""
    await partner_is_there(client, "grocer")
    return "grocer"


async def published(database: Database) -> list[ContractPublished]:
    return [row.event for row in await recorded_events(database, COALITION) if isinstance(row.event, ContractPublished)]


async def test_a_contract_goes_from_draft_over_submission_to_approval_by_a_second_person(
    client: httpx2.AsyncClient, database: Database, grocer: str
) -> None:
    path = await drafted(client, contract_body(grocer, BEGINS, BEGINS + YEAR))
    assert (await act(client, path, "submit", AUTHOR)).json()["state"] == "submitted"
    assert await published(database) == []
    answer = await act(client, path, "approve", APPROVER)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["state"], told["number"], told["version"]) == ("approved", 1, 3)
    assert (told["authors"], told["approved_by"]) == ([AUTHOR], APPROVER)
    [event] = await published(database)
    assert (event.data.version, event.data.partner_id, str(event.data.contract_id)) == (3, grocer, told["contract_id"])
    [row] = [row for row in await recorded_events(database, COALITION) if row.event == event]
    assert row.key == grocer
    assert (await client.get(path, headers=bearing("contracts:read"))).json() == told


async def test_prices_keep_their_six_places_in_database_answer_and_event(
    client: httpx2.AsyncClient, database: Database, grocer: str
) -> None:
    rate = RATE | {"issue_price": "0.010001", "redemption_price": "123456.999999", "vat_percent": "7.7"}
    path = await approved(client, contract_body(grocer, BEGINS, rates=[rate]))
    [told] = (await client.get(path, headers=bearing("contracts:read"))).json()["rates"]
    [event] = await published(database)
    for prices in (told, event.data.rates[0].model_dump()):
        assert prices["issue_price"] == "0.010001"
        assert prices["redemption_price"] == "123456.999999"
        assert prices["vat_percent"] == "7.70"
    async with database.transaction() as transaction:
        stored = await transaction.raw.fetchval("select rates ->> 0 from contracts")
    assert '"0.010001"' in stored


@pytest.mark.parametrize("price", [0.01, 1, "0.0000001", "-1", "1e2", "NaN", "", " 1", "1."])
async def test_a_price_is_a_decimal_of_six_places_in_a_string(
    client: httpx2.AsyncClient, grocer: str, price: object
) -> None:
    body = contract_body(grocer, BEGINS, rates=[RATE | {"issue_price": price}])
    answer = await client.post("/v1/contracts", json=body, headers=bearing())
    assert answer.status_code == 422
    assert "/rates/0/issue_price" in answer.text


async def test_nobody_approves_what_they_wrote_changed_or_submitted(client: httpx2.AsyncClient, grocer: str) -> None:
    body = contract_body(grocer, BEGINS)
    path = await drafted(client, body, "alice")
    terms = {name: value for name, value in body.items() if name != "partner_id"}
    changed = await client.put(path, json=terms, headers=bearing(client_id="carol"))
    assert changed.json()["authors"] == ["alice", "carol"]
    assert (await act(client, path, "submit", "dave")).status_code == 200
    for author in ("alice", "carol", "dave"):
        assert slug(await act(client, path, "approve", author)) == (403, "own-draft")
    assert (await act(client, path, "approve", APPROVER)).status_code == 200


async def test_an_approved_contract_does_not_change(
    client: httpx2.AsyncClient, database: Database, grocer: str
) -> None:
    body = contract_body(grocer, BEGINS)
    path = await approved(client, body)
    terms = {name: value for name, value in body.items() if name != "partner_id"}
    refused = await client.put(path, json=terms | {"currency": "EUR"}, headers=bearing())
    assert slug(refused) == (409, "contract-state")
    for action in ("submit", "approve"):
        assert slug(await act(client, path, action, "carol")) == (409, "contract-state")
    with pytest.raises(asyncpg.CheckViolationError, match="does not change"):
        async with database.transaction() as transaction:
            await transaction.raw.execute("update contracts set currency = 'EUR'")


async def test_a_draft_is_not_approved(client: httpx2.AsyncClient, grocer: str) -> None:
    path = await drafted(client, contract_body(grocer, BEGINS))
    assert slug(await act(client, path, "approve", APPROVER)) == (409, "contract-state")


async def test_contracts_of_a_partner_never_overlap(client: httpx2.AsyncClient, grocer: str) -> None:
    await approved(client, contract_body(grocer, BEGINS, BEGINS + YEAR))
    overlapping = await submitted(client, contract_body(grocer, BEGINS + YEAR - timedelta(seconds=1)))
    refused = await act(client, overlapping, "approve", APPROVER)
    assert slug(refused) == (409, "contract-overlaps")
    assert "contract 1" in refused.json()["detail"]
    await approved(client, contract_body(grocer, BEGINS + YEAR))


async def test_of_two_overlapping_contracts_approved_at_once_one_stands(
    client: httpx2.AsyncClient, database: Database, grocer: str
) -> None:
    paths = [await submitted(client, contract_body(grocer, BEGINS + number * timedelta(days=1))) for number in range(3)]
    answers = await asyncio.gather(*(act(client, path, "approve", APPROVER) for path in paths))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert {slug(answer) for answer in answers if answer.status_code == 409} == {(409, "contract-overlaps")}
    assert len(await published(database)) == 1


async def test_the_database_itself_refuses_an_overlap(
    client: httpx2.AsyncClient, database: Database, grocer: str
) -> None:
    await approved(client, contract_body(grocer, BEGINS))
    await submitted(client, contract_body(grocer, BEGINS))
    with pytest.raises(asyncpg.ExclusionViolationError, match="contracts_never_overlap"):
        async with database.transaction() as transaction:
            await transaction.raw.execute(
                "update contracts set state = 'approved', approved_by = 'eve', approved_at = $1 where number = 2",
                transaction.now,
            )


async def test_exclusivities_of_two_partners_clash_by_name(client: httpx2.AsyncClient, grocer: str) -> None:
    await partner_is_there(client, "rival")
    country: dict[str, Any] = {"exclusivities": [{"category": "grocery", "territory": "US"}]}
    part: dict[str, Any] = {"exclusivities": [{"category": "grocery", "territory": "US-NY"}]}
    elsewhere: dict[str, Any] = {
        "exclusivities": [{"category": "grocery", "territory": "CA"}, {"category": "fuel", "territory": "US"}]
    }
    await approved(client, contract_body(grocer, BEGINS, BEGINS + YEAR, **country))
    clashing = await submitted(client, contract_body("rival", BEGINS, BEGINS + YEAR, **part))
    refused = await act(client, clashing, "approve", APPROVER)
    assert slug(refused) == (409, "exclusivity-clash")
    for named in ("partner grocer", "grocery in US ", "contract 1", "grocery in US-NY"):
        assert named in refused.json()["detail"]
    await approved(client, contract_body("rival", BEGINS, BEGINS + YEAR, **elsewhere))
    await approved(client, contract_body("rival", BEGINS + YEAR, **part))


async def test_clashing_exclusivities_approved_at_once_leave_one(client: httpx2.AsyncClient, grocer: str) -> None:
    await partner_is_there(client, "rival")
    exclusive: dict[str, Any] = {"exclusivities": [{"category": "grocery", "territory": "US"}]}
    paths = [await submitted(client, contract_body(partner, BEGINS, **exclusive)) for partner in (grocer, "rival")]
    answers = await asyncio.gather(*(act(client, path, "approve", APPROVER) for path in paths))
    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_what_takes_effect_is_published_a_minute_before(
    client: httpx2.AsyncClient, database: Database, grocer: str
) -> None:
    now = await business_time(database)
    path = await submitted(client, contract_body(grocer, now + timedelta(seconds=55)))
    assert slug(await act(client, path, "approve", APPROVER)) == (422, "published-too-late")
    path = await approved(client, contract_body(grocer, now + timedelta(minutes=5)))
    too_soon = {"effective_until": (now + timedelta(seconds=50)).isoformat()}
    assert slug(await act(client, path, "end", APPROVER, too_soon)) == (422, "published-too-late")


async def test_a_contract_gets_an_earlier_end_and_another_follows(
    client: httpx2.AsyncClient, database: Database, grocer: str
) -> None:
    path = await approved(client, contract_body(grocer, BEGINS))
    end = {"effective_until": (BEGINS + YEAR).isoformat()}
    assert slug(await act(client, path, "end", AUTHOR, end)) == (403, "own-draft")
    answer = await act(client, path, "end", APPROVER, end)
    assert (answer.status_code, answer.json()["ended_by"], answer.json()["version"]) == (200, APPROVER, 4)
    assert slug(await act(client, path, "end", APPROVER, end)) == (409, "contract-state")
    assert [(event.data.version, event.data.effective_until) for event in await published(database)] == [
        (3, None),
        (4, BEGINS + YEAR),
    ]
    await approved(client, contract_body(grocer, BEGINS + YEAR))


async def test_a_contract_that_is_ended_before_it_begins_leaves_room(client: httpx2.AsyncClient, grocer: str) -> None:
    path = await approved(client, contract_body(grocer, BEGINS))
    ended = await act(client, path, "end", APPROVER, {"effective_until": (BEGINS - YEAR).isoformat()})
    assert ended.json()["effective_until"] == ended.json()["effective_from"]
    await approved(client, contract_body(grocer, BEGINS))


async def test_a_partner_has_one_currency(client: httpx2.AsyncClient, grocer: str) -> None:
    await approved(client, contract_body(grocer, BEGINS, BEGINS + YEAR))
    path = await submitted(client, contract_body(grocer, BEGINS + YEAR, currency="EUR"))
    assert slug(await act(client, path, "approve", APPROVER)) == (409, "currency-differs")


async def test_every_step_of_a_contract_is_an_act_in_the_audit_log(client: httpx2.AsyncClient, grocer: str) -> None:
    path = await approved(client, contract_body(grocer, BEGINS))
    await act(client, path, "end", APPROVER, {"effective_until": (BEGINS + YEAR).isoformat()})
    contract_id = path.rpartition("/")[2]
    listed = await client.get(f"/v1/audit-log?subject={contract_id}", headers=bearing("audit:read"))
    acts = [(each["action"], each["author"]) for each in reversed(listed.json()["items"])]
    assert acts == [
        ("contract.drafted", AUTHOR),
        ("contract.submitted", AUTHOR),
        ("contract.approved", APPROVER),
        ("contract.ended", APPROVER),
    ]
    assert listed.json()["items"][1]["before"]["state"] == "submitted"


async def test_partners_read_their_own_contracts_and_write_none(client: httpx2.AsyncClient, grocer: str) -> None:
    await partner_is_there(client, "rival")
    path = await approved(client, contract_body(grocer, BEGINS))
    await approved(client, contract_body("rival", BEGINS))
    own = bearing("contracts:read", partner_id=grocer)
    assert (await client.get(path, headers=own)).status_code == 200
    assert (await client.get(path, headers=bearing("contracts:read", partner_id="rival"))).status_code == 404
    listed = (await client.get("/v1/contracts", headers=own)).json()["items"]
    assert [each["partner_id"] for each in listed] == [grocer]
    assert (await client.get("/v1/contracts?partner_id=rival", headers=own)).json()["items"] == []
    everything = (await client.get("/v1/contracts?limit=1", headers=bearing("contracts:read"))).json()
    rest = await client.get(f"/v1/contracts?cursor={everything['next_cursor']}", headers=bearing("contracts:read"))
    assert [each["partner_id"] for each in everything["items"] + rest.json()["items"]] == [grocer, "rival"]
    bound = bearing(partner_id=grocer)
    assert (await client.post("/v1/contracts", json=contract_body(grocer, BEGINS), headers=bound)).status_code == 403


async def test_scopes_of_writing_and_approving_are_the_programmes_own(client: httpx2.AsyncClient, grocer: str) -> None:
    for scope in ("contracts:write", "contracts:approve"):
        body = {"client_id": "till-vendor", "partner_id": grocer, "scopes": [scope]}
        answer = await client.post("/v1/api-clients", json=body, headers=bearing())
        assert slug(answer) == (422, "scope-not-for-partners")
    path = await submitted(client, contract_body(grocer, BEGINS))
    answer = await client.post(f"{path}/approve", headers=bearing("contracts:write", client_id=APPROVER))
    assert slug(answer) == (403, "missing-scope")


@pytest.mark.parametrize(
    ("terms", "pointer"),
    [
        ({"currency": "XYZ"}, "/currency"),
        ({"rates": [RATE, RATE]}, ""),
        ({"rates": []}, "/rates"),
        ({"effective_until": BEGINS.isoformat()}, ""),
        ({"funding": PREPAID | {"reserve_minor": 5}}, "/funding"),
        ({"funding": PREPAID | {"when_exhausted": "reserve"}}, "/funding"),
        ({"funding": PREPAID | {"amount_minor": 1.5}}, "/funding/amount_minor"),
        ({"exclusivities": [{"category": "fuel", "territory": "usa"}]}, "/exclusivities/0/territory"),
    ],
)
async def test_terms_that_do_not_add_up_are_refused(
    client: httpx2.AsyncClient, grocer: str, terms: dict[str, Any], pointer: str
) -> None:
    answer = await client.post("/v1/contracts", json=contract_body(grocer, BEGINS, **terms), headers=bearing())
    assert answer.status_code == 422
    assert pointer in answer.text


async def test_what_is_not_there_is_not_found(client: httpx2.AsyncClient) -> None:
    nothing = "/v1/contracts/01936f00-0000-7000-8000-0000000000c1"
    assert (await client.get(nothing, headers=bearing())).status_code == 404
    assert (await act(client, nothing, "approve", APPROVER)).status_code == 404
    unknown = await client.post("/v1/contracts", json=contract_body("nobody", BEGINS), headers=bearing())
    assert unknown.status_code == 404
