"""Rule-set documents over HTTP: their schema, what is wrong with one, and what one changes against another."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx2
import pytest

from services.accrual.domain.rule_set_schema import rule_set_schema
from services.accrual.use_cases.project_coalition import project_coalition
from shared.database import Database
from shared.events.goods import MappedData, ProductMapped
from tests.support.accrual import Accrual, coalition_events
from tests.support.registries import bearing
from tests.support.rule_sets import drafted, published, rules_document, slug

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def client(client_without_rules: httpx2.AsyncClient) -> httpx2.AsyncClient:
    return client_without_rules


@pytest.fixture
def database(accrual_database: Database) -> Database:
    return accrual_database


def ahead(**units: float) -> datetime:
    return datetime.now(UTC) + timedelta(**units)


async def test_what_a_rule_set_changes_is_told_against_the_version_before_it_or_any_other(
    client: httpx2.AsyncClient,
) -> None:
    first = await published(client, rules_document(1), LONG_AGO)
    await published(client, rules_document(2, expires_after_days=365), ahead(days=1))
    draft = await drafted(client, rules_document(3))
    reading = bearing("rules:read")

    of_second = (await client.get("/v1/rule-sets/2/diff", headers=reading)).json()
    assert of_second["against"]["version"] == 1
    assert of_second["elsewhere"] == [{"op": "changed", "pointer": "/expires_after_days", "old": None, "new": 365}]
    of_draft = (await client.get(f"{draft}/diff", headers=reading)).json()
    assert of_draft["against"]["version"] == 1  # the one in force
    (changed,) = of_draft["rules"]["changed"]
    assert (changed["rule_id"], changed["new_pointer"]) == ("base", "/rules/0")
    assert {"op": "changed", "pointer": "/rules/0/effect/points", "old": 1, "new": 3} in changed["changes"]
    assert (await client.get(f"{draft}/diff?against=2", headers=reading)).json()["against"]["version"] == 2
    of_first = (await client.get(f"{first}/diff", headers=reading)).json()
    assert (of_first["against"], len(of_first["rules"]["added"])) == (None, 1)
    strange = await client.get(f"{first}/diff?against={draft.rpartition('/')[2]}", headers=bearing(partner_id="p"))
    assert slug(strange) == (404, "not-found")
    assert (await client.get(f"{first}/diff?against=x", headers=reading)).status_code == 422


async def test_every_fault_of_a_draft_is_told_at_once_and_nothing_is_kept(
    client: httpx2.AsyncClient, database: Database
) -> None:
    await Accrual(database).begin(rule_set=None)
    food = MappedData(
        partner_id="grocer",
        version=1,
        partner_category="GROCERY",
        category_id="fruit",
        path=("food", "fruit"),
        in_force_from=LONG_AGO,
    )
    async with database.transaction() as transaction:
        mapped = ProductMapped(id=uuid4(), source="test", subject="grocer", time=LONG_AGO, data=food)
        await project_coalition(transaction, [mapped])
    document = rules_document(0)
    document["rules"] += [
        rules_document()["rules"][0] | {"condition": {"partners": ["grocer", "nobody"], "categories": ["fruit"]}},
        rules_document()["rules"][0] | {"id": "x", "condition": {"partners": ["grocer"], "categories": ["frut"]}},
    ]
    stores = [{"partner_id": "grocer", "store_id": store_id} for store_id in ("s1", "s9")]
    both = {"kind": "all", "of": [{"kind": "store", "stores": stores}, {"kind": "partner", "partners": ["fuel"]}]}
    document["rules"].append(rules_document()["rules"][0] | {"id": "y", "condition": {"when": both}})
    pointers = {
        "/rules/0/effect/points",
        "/rules/1/id",
        "/rules/1/condition/partners/1",
        "/rules/2/condition/categories/0",
        "/rules/3/condition/when/of/0/stores/1/store_id",
        "/rules/3/condition/when/of/1",
    }

    refused = await client.post("/v1/rule-sets", json=document, headers=bearing())

    assert refused.status_code == 422
    assert {error["pointer"] for error in refused.json()["errors"]} == pointers
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert (await client.get("/v1/rule-sets", headers=bearing())).json()["items"] == []
    path = await drafted(client, rules_document())
    changed = await client.put(path, json=document, headers=bearing() | {"If-Match": '"1"'})
    assert {error["pointer"] for error in changed.json()["errors"]} == pointers
    assert (await client.post("/v1/rule-sets", json=[1], headers=bearing())).status_code == 422


async def test_a_refused_draft_is_looked_at_again_under_the_same_key(
    client: httpx2.AsyncClient, database: Database
) -> None:
    await Accrual(database).begin(["fuel"], rule_set=None)
    document = rules_document()
    document["rules"][0]["condition"] = {"partners": ["grocer"]}
    once = bearing()
    assert (await client.post("/v1/rule-sets", json=document, headers=once)).status_code == 422
    async with database.transaction() as transaction:
        await project_coalition(transaction, coalition_events("grocer"))
    answers = [await client.post("/v1/rule-sets", json=document, headers=once) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()


async def test_the_schema_of_a_rule_set_is_published(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/v1/rule-sets:schema", headers=bearing("rules:read", partner_id="grocer"))
    assert answer.headers["Content-Type"] == "application/schema+json"
    assert answer.json() == rule_set_schema()
