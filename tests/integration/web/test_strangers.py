"""Another partner's object is not found: every route that names an object is in one of these lists, or the test fails.

- ``BODIES``: the path names the partner. Walked here: 404 for a stranger, and something else for the partner itself.
- ``PROVEN``: the object's partner stands in a row. The named test proves the 404.
- ``PROGRAMMES``: the object is the programme's own, and the same for all who may see it.
"""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from shared.database.roles import SERVICES, role_name
from tests.support.applications import Route, application, routes_of
from tests.support.databases import FreshDatabase
from tests.support.registries import bearing

ROOT = Path(__file__).resolve().parents[3]
STORE = {"store_id": "s2", "name": "Second", "time_zone": "UTC"}
NAMES = {"partner_id": "acme", "store_id": "s1", "till_id": "t1", "sku": "a1"}

# What the partner itself could send to these routes.
BODIES: dict[str, dict[str, Any] | None] = {
    "GET /v1/partners/{partner_id}": None,
    "PATCH /v1/partners/{partner_id}": {"reason_code": "asked"},
    "GET /v1/partners/{partner_id}/stores": None,
    "POST /v1/partners/{partner_id}/stores": STORE,
    "POST /v1/partners/{partner_id}/stores:batch": {"stores": [STORE]},
    "POST /v1/partners/{partner_id}/stores/{store_id}/tills": {"till_id": "t2", "key_scheme": "sequence"},
    "GET /v1/partners/{partner_id}/stores/{store_id}": None,
    "PATCH /v1/partners/{partner_id}/stores/{store_id}": {"name": "Renamed"},
    "POST /v1/partners/{partner_id}/stores/{store_id}/tills/{till_id}/keys:rotate": {},
    "POST /v1/partners/{partner_id}/stores/{store_id}/tills/{till_id}/keys:revoke": {
        "keys": "previous",
        "reason_code": "asked",
    },
    "POST /v1/partners/{partner_id}/stores/{store_id}/tills/{till_id}/shift-closes": {
        "business_date": "2026-11-01",
        "shift": 1,
        "count": 0,
        "total_minor": 0,
    },
    "POST /v1/partners/{partner_id}/operators": {"operator_id": "8"},
    "POST /v1/partners/{partner_id}/operators:batch": {"operators": [{"operator_id": "9"}]},
    "GET /v1/partners/{partner_id}/operators": None,
    "GET /v1/partners/{partner_id}/operators/{operator_hash}": None,
    "PATCH /v1/partners/{partner_id}/operators/{operator_hash}": {"state": "left"},
    "GET /v1/partners/{partner_id}/shift-closes": None,
    "GET /v1/partners/{partner_id}/gaps": None,
    "GET /v1/partners/{partner_id}/exposure": None,
    "GET /v1/partners/{partner_id}/top-ups": None,
    "POST /v1/partners/{partner_id}/top-ups": {"document_number": "1", "amount_minor": 100, "currency": "USD"},
    "GET /v1/partners/{partner_id}/category-mappings": None,
    "GET /v1/partners/{partner_id}/unmapped-categories": None,
    "PUT /v1/partners/{partner_id}/articles/{sku}": {},
    "GET /v1/partners/{partner_id}/articles/{sku}": None,
    "GET /v1/partners/{partner_id}/articles": None,
    "POST /v1/partners/{partner_id}/articles:batch": {"articles": [{"sku": "a2"}]},
    "GET /v1/partners/{partner_id}/unmapped-articles": None,
    "POST /v1/partners/{partner_id}/article-imports": {},
    "PUT /v1/partners/{partner_id}/article-imports/{import_id}/content": None,
    "GET /v1/partners/{partner_id}/article-imports/{import_id}": None,
    "GET /v1/partners/{partner_id}/article-imports/{import_id}/refusals": None,
    "POST /v1/partners/{partner_id}/category-mappings": {
        "mappings": [{"partner_category": "GROCERY", "category_id": "food"}],
        "reason_code": "asked",
    },
}
PROVEN = {
    "POST /v1/receipts/{receipt_id}:release": (
        "integration/accrual/test_pending_points.py",
        "test_another_partners_receipt_is_not_found",
    ),
    "POST /v1/receipts/{receipt_id}:claim": (
        "integration/accrual/test_receipt_claims.py",
        "test_what_cannot_be_claimed_says_why",
    ),
    "POST /v1/receipts/{receipt_id}:move": (
        "integration/accrual/test_receipt_moves.py",
        "test_what_cannot_be_moved_says_why_and_nothing_of_it_stays",
    ),
    "GET /v1/receipts/{receipt_id}": (
        "integration/accrual/test_door.py",
        "test_another_partners_receipt_and_a_malformed_id_do_not_exist",
    ),
    **dict.fromkeys(
        (
            "GET /v1/redemptions/{redemption_id}",
            "POST /v1/redemptions/{redemption_id}/capture",
            "POST /v1/redemptions/{redemption_id}/shrink",
            "POST /v1/redemptions/{redemption_id}/void",
        ),
        ("integration/redemption/test_http.py", "test_another_partner_sees_nothing"),
    ),
    "POST /v1/tender-exceptions/{exception_id}/settle": (
        "integration/redemption/test_tender_exceptions.py",
        "test_what_settled_itself_is_nobodys_to_settle",
    ),
    "POST /v1/redemptions/{redemption_id}/refund": (
        "integration/redemption/test_refunds.py",
        "test_what_cannot_be_refunded_is_named_and_changes_nothing",
    ),
    **dict.fromkeys(
        (
            "GET /v1/rewards/{reward_id}",
            "PUT /v1/rewards/{reward_id}",
            "POST /v1/rewards/{reward_id}/pieces:add",
            "POST /v1/rewards/{reward_id}/pieces:remove",
            "POST /v1/rewards/{reward_id}/issue",
            "GET /v1/vouchers/{voucher_id}",
            "GET /v1/vouchers/{voucher_id}/code",
            "POST /v1/vouchers/{voucher_id}/cancel",
            "POST /v1/vouchers/{voucher_id}/deliver",
            "POST /v1/vouchers/{voucher_id}/confirm",
            "POST /v1/rewards/{reward_id}/codes:import",
        ),
        ("integration/redemption/test_reward_catalogue.py", "test_a_partner_sees_its_own_rewards_alone_and_keeps_none"),
    ),
    "GET /v1/members/{member_id}/statement": (
        "integration/redemption/test_statements.py",
        "test_a_partner_sees_its_own_lines_without_the_balance",
    ),
    "GET /v1/members/{member_id}/statement.csv": (
        "integration/redemption/test_statements.py",
        "test_as_csv_a_partner_gets_its_own_lines_alone",
    ),
    **dict.fromkeys(
        ("GET /v1/cases/{case_id}", "POST /v1/cases/{case_id}/close", "GET /v1/decisions/{receipt_id}"),
        ("integration/fraud/test_cases.py", "test_a_partner_sees_its_own_cases_and_decisions_alone"),
    ),
    "GET /v1/spend-decisions/{decision_id}": (
        "integration/fraud/test_spend_decisions.py",
        "test_why_is_told_to_the_programme_alone",
    ),
    **dict.fromkeys(
        (
            "GET /v1/api-clients/{client_id}",
            "POST /v1/api-clients/{client_id}/secrets:rotate",
            "POST /v1/api-clients/{client_id}/scopes:replace",
            "POST /v1/api-clients/{client_id}/rate-limit:replace",
            "POST /v1/api-clients/{client_id}/revoke",
        ),
        (
            "integration/coalition/test_clients.py",
            "test_who_is_bound_to_a_partner_sees_its_clients_alone_and_changes_none",
        ),
    ),
    **dict.fromkeys(
        (
            "PUT /v1/contracts/{contract_id}",
            "GET /v1/contracts/{contract_id}",
            "POST /v1/contracts/{contract_id}/submit",
            "POST /v1/contracts/{contract_id}/approve",
            "POST /v1/contracts/{contract_id}/end",
        ),
        ("integration/coalition/test_contracts.py", "test_partners_read_their_own_contracts_and_write_none"),
    ),
    **dict.fromkeys(
        (
            "POST /v1/members/{member_id}/consents",
            "GET /v1/members/{member_id}/consents",
            "GET /v1/members/{member_id}/consents/history",
        ),
        (
            "integration/members/test_consents.py",
            "test_a_partners_client_speaks_for_its_own_partner_and_sees_no_other",
        ),
    ),
    **dict.fromkeys(
        (
            "PUT /v1/member-imports/{import_id}/content",
            "GET /v1/member-imports/{import_id}",
            "GET /v1/member-imports/{import_id}/refusals",
        ),
        ("integration/members/test_member_imports.py", "test_a_partners_import_is_not_there_for_another"),
    ),
    "GET /v1/members/{member_id}/messages": (
        "integration/notifications/test_api.py",
        "test_nothing_is_known_of_a_stranger",
    ),
}
# A member belongs to the programme: which client may do what with members is a matter of scopes.
PROGRAMMES = (
    "/v1/members/{member_id}",
    "/v1/people/",
    "/v1/card-ranges/",
    "/v1/duplicates/",
    "/v1/households/",
    "/v1/terms/",
    "/v1/rule-sets/",
    "/v1/write-off-rules/",
    "/v1/privileges/",
    "/v1/backtests/",
    "/v1/tier-schemes/",
    "/v1/segments/",
    "/v1/adjustments/",
    "/v1/adjustment-files/",
    "/v1/receipt-moves/",
    "/v1/unlinked-returns/",
    "/v1/member-events/",
    "/v1/member-event-types/",
    "/v1/retention/",
)


@pytest.fixture
async def coalition(fresh_database: FreshDatabase) -> AsyncIterator[FastAPI]:
    """Coalition with the partner acme, its store s1 and the till t1."""
    async with application("coalition", fresh_database.url(role_name("coalition"))) as app:
        for path, body in (
            ("/v1/partners", {"partner_id": "acme", "name": "Acme"}),
            ("/v1/partners/acme/stores", {"store_id": "s1", "name": "First", "time_zone": "UTC"}),
            ("/v1/partners/acme/stores/s1/tills", {"till_id": "t1", "key_scheme": "sequence"}),
        ):
            made = await call(app, "POST", path, body, bearing())
            assert made.status_code == 201, made.text
        yield app


async def call(
    app: FastAPI, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]
) -> httpx2.Response:
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.request(method, path, json=body, headers=headers)


async def test_what_is_below_a_partner_is_not_found_by_another(coalition: FastAPI) -> None:
    path = "/v1/partners/acme/article"
    assert (await call(coalition, "PUT", f"{path}s/a1", {}, bearing())).status_code == 200
    declared = await call(coalition, "POST", f"{path}-imports", {}, bearing())
    made = await call(coalition, "POST", "/v1/partners/acme/operators", {"operator_id": "7"}, bearing())
    names = NAMES | {"import_id": declared.json()["import_id"], "operator_hash": made.json()["operator_hash"]}
    for route in routes_of(coalition):
        if "{partner_id}" not in route.path:
            continue
        assert str(route) in BODIES, f"say in BODIES what acme could send to {route}"
        path = re.sub(r"\{(\w+)\}", lambda name: names[name[1]], route.path)
        answers = {
            partner_id: await call(
                coalition,
                route.method.upper(),
                path,
                BODIES[str(route)],
                bearing(*route.scopes, client_id=f"{partner_id}-hq", partner_id=partner_id) | {"If-Match": '"1"'},
            )
            for partner_id in ("stranger", "acme")
        }
        assert answers["stranger"].status_code == 404, f"{route}: {answers['stranger'].text}"
        assert answers["acme"].status_code != 404, f"{route}: {answers['acme'].text}"


async def test_every_route_that_names_an_object_is_judged() -> None:
    unjudged = []
    for service in SERVICES:
        async with application(service) as app:
            unjudged += [str(route) for route in routes_of(app) if not _is_judged(route)]
    assert unjudged == [], "add each to BODIES, PROVEN or PROGRAMMES"


def _is_judged(route: Route) -> bool:
    return "{" not in route.path or str(route) in BODIES | PROVEN or route.path.startswith(PROGRAMMES)


@pytest.mark.parametrize(("file", "name"), sorted(set(PROVEN.values())))
def test_the_named_proof_exists(file: str, name: str) -> None:
    assert f"def {name}(" in (ROOT / "tests" / file).read_text()
