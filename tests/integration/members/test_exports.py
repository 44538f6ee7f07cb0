"""Everything of a member for the member: complete over all services, or not given."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from services.members.api.exports import exports_router
from services.members.app import DOMAIN_PROBLEMS, other_services
from services.members.gateways import service_data
from services.members.use_cases.export_member import MemberExporter
from shared.database import Database
from tests.support.member_data import served
from tests.support.registries import bearing, members_settings

SETTINGS = members_settings()
PERSON: dict[str, Any] = {
    "given_name": "Ada",
    "family_name": "Lovelace",
    "email": "ada@example.com",
    "phone": "212 555 0142",
    "birth_date": "1990-12-10",
    "address": {"lines": ["1 St James's Square"], "city": "London", "country": "GB"},
    "language": "en",
    "identifiers": [{"type": "card", "value": "9001 2345"}],
}
SMS = {"purpose": "marketing", "channel": "sms", "text_version": "1", "language": "en", "source": "web"}


@dataclass
class Others:
    """The token service and the other services, as far as an export asks them. ``kept``: one item a page."""

    kept: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    answers: dict[str, Callable[[], httpx2.Response]] = field(default_factory=dict)

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        """What is answered to one request."""
        if request.url.path == "/oauth/token":
            return self.answers.get("token", lambda: httpx2.Response(200, json=TOKEN))()
        assert request.headers["Authorization"] == "Bearer good"
        name, member_id = NAMES[request.url.port or 0], request.url.path.split("/")[3]
        if name in self.answers:
            return self.answers[name]()
        items, place = self.kept.get((name, member_id), []), int(request.url.params.get("cursor", "0"))
        following = str(place + 1) if place + 1 < len(items) else None
        return httpx2.Response(
            200, json={"items": [{"what": item} for item in items[place : place + 1]]} | {"next_cursor": following}
        )


TOKEN = {"access_token": "good", "expires_in": 600}
NAMES = {8003: "accrual", 8004: "redemption", 8005: "fraud", 8006: "notifications"}


@pytest.fixture
def others() -> Others:
    return Others()


@pytest.fixture
async def exporting(database: Database, others: Others) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(others.answer)) as calls:
        exporter = MemberExporter(database, other_services(SETTINGS, calls), SETTINGS.keys)
        async with served(exports_router(exporter), DOMAIN_PROBLEMS) as opened:
            yield opened


async def call(client: httpx2.AsyncClient, method: str, path: str, body: object) -> dict[str, Any]:
    answer = await client.request(method, f"/v1/{path}", json=body, headers=bearing(client_id="ann"))
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def enrol(client: httpx2.AsyncClient, **person: object) -> str:
    return str((await call(client, "POST", "members", PERSON | person))["member_id"])


async def export(client: httpx2.AsyncClient, member_id: str, *scopes: str, **who: str) -> httpx2.Response:
    headers = bearing(*(scopes or ("members:export",)), **({"client_id": "dpo"} | who))
    return await client.get(f"/v1/members/{member_id}/export", headers=headers)


async def accesses(client: httpx2.AsyncClient, member_id: str) -> list[tuple[str, str, str]]:
    entries = await client.get(f"/v1/personal-accesses?member_id={member_id}", headers=bearing())
    return [(each["accessed_by"], each["purpose"], each["sight"]) for each in entries.json()["items"]]


async def test_a_member_is_given_everything_of_every_service(
    client: httpx2.AsyncClient, exporting: httpx2.AsyncClient, others: Others
) -> None:
    text = {"purpose": "marketing", "channel": "sms", "text_version": "1"}
    await call(client, "POST", "consent-texts", text | {"wordings": [{"language": "en", "wording": "Yes."}]})
    await call(client, "POST", "attributes", {"code": "nickname", "type": "text", "is_personal": True})
    ada = await enrol(client)
    await call(client, "POST", f"members/{ada}/consents", SMS | {"is_granted": True})
    await call(client, "POST", f"members/{ada}/consents", SMS | {"is_granted": False})
    for name in ("Countess", "Ada"):
        await call(client, "PUT", f"members/{ada}/attributes/nickname", {"value": name, "source": "web"})
    household = (await call(client, "POST", "households", {"member_id": ada}))["household_id"]
    await call(client, "POST", f"members/{ada}/suspend", {"reason_code": "member_request"})
    check = {"field": "email", "outcome": "verified", "source": "web"}
    await call(client, "POST", f"members/{ada}/field-checks", check)
    pin = await call(client, "PUT", f"members/{ada}/pin", {"pin": "2846"})
    await client.get(f"/v1/members/{ada}", headers=bearing(client_id="ben"))
    others.kept = {(name, ada): [f"{name} {number}" for number in range(3)] for name in NAMES.values()}

    answer = await export(exporting, ada)

    assert answer.status_code == 200, answer.text
    told = answer.json()
    person = told["person"]
    assert (person["given_name"], person["phone"], person["birth_date"]) == ("Ada", "+12125550142", "1990-12-10")
    assert (person["address"]["city"], told["membership"]["enrolled_by"]) == ("London", "ann")
    assert [(each["type"], each["state"]) for each in told["identifiers"]] == [("card", "active")]
    assert [each["is_granted"] for each in told["consents"]] == [False]
    assert [each["is_granted"] for each in told["consent_history"]] == [False, True]
    assert [each["value"] for each in told["attributes"]] == ["Countess", "Ada"]
    assert [(each["from_status"], each["to_status"]) for each in told["status_changes"]] == [("active", "suspended")]
    assert [each["field"] for each in told["field_checks"]] == ["email"]
    assert [each["household_id"] for each in told["households"]] == [household]
    assert [each["action"] for each in told["household_changes"]] == ["found"]
    assert told["data_quality"]["score_percent"] > 0
    assert (told["pin_set_at"], "2846" in answer.text) == (pin["set_at"], False)
    assert [each["change"] for each in told["pin_changes"]] == ["set"]
    assert [(each["accessed_by"], each["sight"]) for each in told["accesses"]] == [("ben", "member"), ("dpo", "export")]
    assert told["services"] == {name: [{"what": f"{name} {number}"} for number in range(3)] for name in NAMES.values()}
    assert "identifier_hash" not in answer.text
    assert (await accesses(client, ada))[0] == ("dpo", "data_subject_request", "export")


def away() -> httpx2.Response:
    raise httpx2.ConnectError("nobody there")


@pytest.mark.parametrize(
    ("broken", "answer", "named"),
    [
        ("fraud", lambda: httpx2.Response(500), "fraud"),
        ("notifications", away, "notifications"),
        ("redemption", lambda: httpx2.Response(200, json={"rows": []}), "redemption"),
        ("token", lambda: httpx2.Response(401, json={"error": "invalid_client"}), "accrual"),
    ],
)
async def test_a_service_that_does_not_answer_is_named_and_nothing_is_given(
    client: httpx2.AsyncClient,
    exporting: httpx2.AsyncClient,
    others: Others,
    broken: str,
    answer: Callable[[], httpx2.Response],
    named: str,
) -> None:
    ada = await enrol(client)
    others.answers = {broken: answer}

    refused = await export(exporting, ada)

    assert refused.status_code == 503
    assert refused.json()["type"].endswith("/export-incomplete")
    assert refused.json()["service"] == named
    assert refused.headers["Retry-After"]
    assert await accesses(client, ada) == []
    others.answers = {}
    assert (await export(exporting, ada)).status_code == 200


async def test_of_members_who_were_merged_everything_is_given_under_either_id(
    client: httpx2.AsyncClient, exporting: httpx2.AsyncClient, others: Others
) -> None:
    survivor = await enrol(client)
    merged = await enrol(client, email="ada@example.org", identifiers=[{"type": "card", "value": "9002"}])
    await call(client, "POST", f"members/{merged}/status", {"status": "earn_only", "reason_code": "minor"})
    await call(client, "POST", f"members/{merged}/status", {"status": "active", "reason_code": "of_age"})
    codes = [
        (await call(client, "POST", f"members/{member_id}/referral-code", {}))["referral_code"]
        for member_id in (survivor, merged)
    ]
    body = {"merged_member_id": merged, "reason_code": "duplicate"}
    await call(client, "POST", f"members/{survivor}/merge", body)
    others.kept = {("accrual", survivor): ["new"], ("accrual", merged): ["old"]}

    told = [(await export(exporting, member_id)).json() for member_id in (survivor, merged)]

    for each in told:
        assert (each["member_id"], each["former_ids"]) == (survivor, [merged])
        assert [each["referral_code"], *each["former_referral_codes"]] == codes
        assert [change["to_status"] for change in each["status_changes"]] == ["earn_only", "active", "merged"]
        assert len(each["identifiers"]) == 2
        assert each["services"]["accrual"] == [{"what": "new"}, {"what": "old"}]
    assert [entry["sight"] for entry in told[1]["accesses"]] == ["export", "export"]


async def test_more_than_an_export_may_hold_is_not_cut(
    client: httpx2.AsyncClient, exporting: httpx2.AsyncClient, others: Others, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await enrol(client)
    others.kept = {("accrual", ada): ["x" * 100] * 3}
    monkeypatch.setattr(service_data, "EXPORT_BYTES_MAX", 250)

    refused = await export(exporting, ada)

    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (409, "export-too-large")


async def test_who_may_not_ask_and_of_whom_nothing_is_known(
    client: httpx2.AsyncClient, exporting: httpx2.AsyncClient
) -> None:
    ada = await enrol(client)
    await call(client, "POST", f"members/{ada}/erase", {"reason_code": "data_subject_request"})

    assert (await exporting.get(f"/v1/members/{ada}/export")).status_code == 401
    assert (await export(exporting, ada, "members:read")).status_code == 403
    assert (await export(exporting, ada, client_id="acme", partner_id="acme")).status_code == 403
    assert (await export(exporting, ada)).status_code == 404
    assert (await export(exporting, str(uuid4()))).status_code == 404
