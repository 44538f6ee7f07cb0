"""What a tier multiplies by: taken from the scheme of the receipt's time, and refused where no rule would give it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import asyncpg
import httpx2
import pytest

from services.accrual.domain.decisions import Awarded
from services.accrual.domain.rules import Rule, TierMultiplier
from services.accrual.domain.trace import trace_in_words
from services.accrual.use_cases.show_receipt import show_receipt
from shared.database import Database
from shared.receipt_key import natural_key_of
from tests.support.accrual import Accrual
from tests.support.accrual_tiers import advance, now_of, publish
from tests.support.databases import FreshDatabase
from tests.support.receipts import RULES, changed_rules, enrolled, member, purchase, return_of
from tests.support.registries import bearing
from tests.support.rule_sets import APPROVER, act, approved, drafted, rules_document, slug
from tests.support.rule_sets import publish as publish_rules
from tests.support.tiers import LADDER, TEN_DAYS, scheme

ANNA = member(1)
OF_THE_TIER = Rule(id="tier", name="What the tier gives", effect=TierMultiplier())
SILVER_AT = "/tiers/1/benefits/multiplier_percent"


def ladder(percent: int | None) -> list[dict[str, Any]]:
    """The ladder with another multiplier for silver."""
    benefits = {} if percent is None else {"multiplier_percent": percent}
    return [LADDER[0], LADDER[1] | {"benefits": benefits}, LADDER[2]]


async def test_a_receipt_earns_by_the_multiplier_of_its_time_and_its_return_too(
    database_of: Callable[[str], Database], fresh_database: FreshDatabase
) -> None:
    """Silver multiplies by 150% until it multiplies by 300%; what comes late, or back, is judged by what was."""
    accrual = Accrual(database_of("accrual"))
    await accrual.begin(rule_set=changed_rules(rules=(*RULES.rules, OF_THE_TIER)))
    await accrual.members(enrolled(ANNA))
    now = await now_of(accrual)
    await publish(accrual, scheme(period=TEN_DAYS, tiers=ladder(150)))
    changed = scheme(period=TEN_DAYS, tiers=ladder(300), version=2, effective_from=now + timedelta(hours=1))
    await publish(accrual, changed)
    await accrual.award(purchase(1, 10_000, owner=ANNA, occurred_at=now))  # as basic: 100
    as_silver = purchase(2, 1_000, owner=ANNA, occurred_at=await now_of(accrual))

    previewed = await accrual.preview(as_silver)
    await accrual.award(as_silver)

    assert isinstance(previewed, Awarded)
    assert (previewed.evaluation.points, (await accrual.balance(ANNA)).available) == (15, 115)
    await advance(fresh_database, timedelta(hours=2))
    await accrual.award(purchase(3, 1_000, owner=ANNA, occurred_at=now + timedelta(hours=2)))  # by the new scheme
    assert (await accrual.balance(ANNA)).available == 115 + 30
    late = purchase(4, 1_000, owner=ANNA, occurred_at=now + timedelta(minutes=30))
    await accrual.award(
        late, return_of(as_silver, 5, {1: 500})
    )  # 15 by the old one; of the other 10 of base 5 + 2 stay
    assert (await accrual.balance(ANNA)).available == 145 + 15 - 8

    key = natural_key_of(as_silver.data.receipt_id)
    story = await accrual.database.run(partial(show_receipt, key=key, rules=accrual.rules))
    assert story.evaluation is not None
    words = trace_in_words(story.evaluation, story.evaluation.rule_set, "USD")
    assert any("150%, as tier silver has it, on the matching lines adds 5" in sentence for sentence in words)


@pytest.fixture
async def client(client_without_rules: httpx2.AsyncClient) -> httpx2.AsyncClient:
    return client_without_rules


@pytest.fixture(autouse=True)
async def no_schemes(emptied_database: FreshDatabase) -> None:
    admin = await asyncpg.connect(emptied_database.admin_url)
    await admin.execute("truncate accrual.tier_schemes")
    await admin.close()


def ahead(**units: float) -> datetime:
    return datetime.now(UTC) + timedelta(**units)


async def post_scheme(client: httpx2.AsyncClient, percent: int | None, effective_from: datetime) -> httpx2.Response:
    body = {"tiers": ladder(percent), "period": TEN_DAYS, "zone": "Europe/Berlin"}
    body |= {"effective_from": effective_from.isoformat()}
    return await client.post("/v1/tier-schemes", json=body, headers=bearing("tiers:write"))


def multiplying(*others: dict[str, Any]) -> dict[str, Any]:
    document = rules_document(1)
    return document | {"rules": [*document["rules"], *others]}


GIVES_IT = {"id": "tier", "name": "What the tier gives", "effect": {"kind": "tier_multiplier"}}
FOR_SILVER = {
    "id": "silver",
    "name": "Half more for silver",
    "condition": {"when": {"kind": "tier", "tiers": ["silver", "gold"]}},
    "effect": {"kind": "multiplier", "percent": 150},
}


async def test_a_scheme_that_promises_what_no_rule_gives_is_refused_with_pointers(client: httpx2.AsyncClient) -> None:
    plain = await approved(client, rules_document(1))
    assert (await publish_rules(client, plain, ahead(days=-1))).status_code == 200

    refused = await post_scheme(client, 150, ahead(minutes=10))

    assert slug(refused) == (422, "multiplier-not-given")
    assert [fault["pointer"] for fault in refused.json()["errors"]] == [SILVER_AT]
    assert "rule set 1, in force then" in refused.json()["errors"][0]["detail"]
    for number, (gives, percent) in enumerate(((GIVES_IT, 150), (FOR_SILVER, 150))):
        better = await approved(client, multiplying(gives))
        assert (await publish_rules(client, better, ahead(minutes=20 + number))).status_code == 200
        assert (await post_scheme(client, percent, ahead(minutes=19))).status_code == 422  # the plain one counts still
        assert (await post_scheme(client, percent, ahead(minutes=25 + number))).status_code == 201
    assert slug(await post_scheme(client, 200, ahead(minutes=30))) == (422, "multiplier-not-given")


async def test_rules_that_do_not_keep_what_a_scheme_promises_are_no_draft_and_are_not_published(
    client: httpx2.AsyncClient,
) -> None:
    before = await approved(client, rules_document(1))
    assert (await post_scheme(client, 150, ahead(minutes=10))).status_code == 201  # there are no rules yet

    late = await publish_rules(client, before, ahead(minutes=5))

    assert slug(late) == (422, "multiplier-not-given")
    answer = await client.post("/v1/rule-sets", json=rules_document(2), headers=bearing(client_id="alice"))
    (fault,) = answer.json()["errors"]
    assert (answer.status_code, fault["pointer"]) == (422, "/rules")
    assert "tier silver multiplies by 150%" in fault["detail"]
    path = await drafted(client, multiplying(GIVES_IT))
    assert (await act(client, path, "submit", "alice")).status_code == 200
    assert (await act(client, path, "approve", APPROVER)).status_code == 200
    assert (await publish_rules(client, path, ahead(minutes=5))).status_code == 200
