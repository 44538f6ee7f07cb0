"""Asked before points leave: one decision an ask for ever, asks of one member one after the other, and afterwards."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import httpx2
import pytest

from services.fraud.consumer import MemberHandler, RedemptionHandler
from services.fraud.domain.spending.rule_set import ACTIVE_SPEND_RULE_SET
from services.redemption.domain.confirming import Wish
from services.redemption.gateways.asking import UnansweredError
from services.redemption.gateways.fraud_decisions import FraudDecisions
from shared.events.balances import Balance
from shared.events.catalogue import MEMBERS, REDEMPTIONS
from shared.events.fraud import SpendFlagged
from shared.events.redemptions import HoldData, RedemptionHeld
from shared.ids import new_id
from shared.web.access_tokens import AccessToken
from tests.support.counted_statements import counted_statements
from tests.support.fraud import MORNING, member
from tests.support.fraud_service import Scoring, batch_of
from tests.support.member_data import read_all
from tests.support.receipts import merged_into
from tests.support.registries import bearing, token

ASKER = bearing("decisions:write", client_id="redemption")
ANALYST = bearing("cases:read", client_id="analyst")


async def ask(client: httpx2.AsyncClient, points: int = 100, number: int = 1, **others: Any) -> httpx2.Response:
    body = {"decision_id": str(new_id()), "kind": "hold", "member_id": str(member(number)), "point_type": "points"}
    place = {"partner_id": "grocer", "store_id": "s1"}
    return await client.post("/v1/decisions", json=body | place | {"points": points} | others, headers=ASKER)


async def verdicts(client: httpx2.AsyncClient, *points: int, **others: Any) -> list[str]:
    return [(await ask(client, each, **others)).json()["verdict"] for each in points]


def held(points: int, *, decided_by: str | None = "ceiling", decision_id: UUID | None = None) -> RedemptionHeld:
    data = HoldData(
        redemption_id=new_id(),
        member_id=member(1),
        partner_id="grocer",
        point_type="points",
        points=points,
        expires_at=MORNING + timedelta(minutes=15),
        balance=Balance(available=0, held=points, pending=0, debt=0),
        decided_by=decided_by,
        decision_id=decision_id or new_id(),
        store_id="s1",
    )
    return RedemptionHeld(id=new_id(), source="redemption", subject=str(data.redemption_id), time=MORNING, data=data)


async def hear(scoring: Scoring, *events: RedemptionHeld) -> None:
    handler = RedemptionHandler(scoring.database, ACTIVE_SPEND_RULE_SET)
    await handler.handle(batch_of(events, REDEMPTIONS.topic))


async def test_the_same_ask_gets_its_first_decision_and_another_under_its_id_is_refused(
    client: httpx2.AsyncClient,
) -> None:
    first = str(new_id())
    assert [(await ask(client, decision_id=first)).json()["verdict"] for _ in range(2)] == ["allow"] * 2
    assert await verdicts(client, 1, 1, 1) == ["allow", "allow", "step_up"]
    assert (await ask(client, decision_id=first)).json()["verdict"] == "allow"  # though it would be another now
    for others in ({"points": 101}, {"number": 2}, {"store_id": "s2"}, {"kind": "gift"}):
        assert (await ask(client, decision_id=first, **others)).status_code == 409


async def test_a_decision_is_five_statements(client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    with counted_statements(monkeypatch) as statements:
        assert (await ask(client)).status_code == 200

    opening, *looks, saving = statements.of_transaction_with("insert into spend_decisions")
    assert "pg_advisory_xact_lock" in opening
    assert (len(looks), saving.startswith("insert into spend_decisions")) == (3, True)


async def test_of_asks_at_once_each_sees_those_before_it(client: httpx2.AsyncClient) -> None:
    answers = await asyncio.gather(*(ask(client) for _ in range(8)))
    assert Counter(answer.json()["verdict"] for answer in answers) == {"allow": 3, "step_up": 5}
    twins = await asyncio.gather(*(ask(client, 30_000, 2, decision_id=str(UUID(int=7))) for _ in range(4)))
    assert {answer.json()["verdict"] for answer in twins} == {"step_up"}
    assert await verdicts(client, 1, 1, number=2) == ["allow", "allow"]  # the four were one


async def test_why_is_told_to_the_programme_alone(client: httpx2.AsyncClient) -> None:
    answer = await ask(client, 25_000)
    assert answer.json()["rule_codes"] == ["SPEND_AMOUNT"]
    path = f"/v1/spend-decisions/{answer.json()['decision_id']}"
    told = (await client.get(path, headers=ANALYST)).json()
    assert told["rules"][0] == {
        "rule_code": "SPEND_AMOUNT",
        "verdict": "step_up",
        "checks": [
            {"name": "points", "observed": 25_000, "step_up": 20_000, "deny": None, "window": "ask"},
            {"name": "points_in_day", "observed": 25_000, "step_up": 50_000, "deny": None, "window": "24h"},
        ],
    }
    assert (await client.get(path, headers=bearing("cases:read", partner_id="grocer"))).status_code == 404
    assert (await client.get("/v1/spend-decisions/" + str(new_id()), headers=ANALYST)).status_code == 404
    refused = await client.post("/v1/decisions", json={}, headers=bearing("cases:read"))
    assert refused.status_code == 403


async def test_what_a_ceiling_let_go_is_scored_once_and_told_where_it_should_not_have(
    client: httpx2.AsyncClient, scoring: Scoring
) -> None:
    small, large, asked = held(100), held(30_000), held(50, decided_by="fraud")
    await hear(scoring, small, large, asked)
    await hear(scoring, large, small)  # the topic again, in another order
    [told] = await scoring.told()
    assert isinstance(told, SpendFlagged)
    assert (told.data.subject_id, told.data.verdict, told.data.rule_codes) == (
        large.data.redemption_id,
        "step_up",
        ("SPEND_AMOUNT",),
    )
    kept = (await client.get(f"/v1/spend-decisions/{large.data.decision_id}", headers=ANALYST)).json()
    assert kept["asked_at"] == MORNING.isoformat().replace("+00:00", "Z")
    assert kept["went_unasked_at"] is not None
    missing = await client.get(f"/v1/spend-decisions/{asked.data.decision_id}", headers=ANALYST)
    assert missing.status_code == 404


@pytest.mark.parametrize("by", ["code", "pin"])
async def test_what_a_member_confirmed_unasked_counts_and_is_not_told_of(
    client: httpx2.AsyncClient, scoring: Scoring, by: str
) -> None:
    confirmed = held(30_000, decided_by=by)
    await hear(scoring, confirmed, confirmed)
    assert await scoring.told() == []
    kept = (await client.get(f"/v1/spend-decisions/{confirmed.data.decision_id}", headers=ANALYST)).json()
    assert (kept["verdict"], kept["went_unasked_at"]) == ("step_up", None)


class _Token:
    async def get(self) -> str:
        return token("decisions:write", client_id="redemption")

    def forget(self, _: str) -> None:
        raise AssertionError("the token was refused")


async def test_redemption_and_fraud_understand_each_other(client: httpx2.AsyncClient) -> None:
    """The one's gateway on the other's route: no stand-in between them."""
    asker = FraudDecisions(client, "http://test/", cast("AccessToken", _Token()))
    wish = Wish(new_id(), "hold", member(1), "points", 100, "grocer", "s1")
    gift = Wish(new_id(), "gift", member(1), "points", 25_000)
    assert [await asker.decide(one) for one in (wish, wish, gift)] == ["allow", "allow", "step_up"]
    assert await asker.decide(replace(gift, points=1)) == "other_request"
    lenient = FraudDecisions(client, "http://test/nowhere", cast("AccessToken", _Token()))
    with pytest.raises(UnansweredError):
        await lenient.decide(wish)


async def test_a_decision_that_came_too_late_for_the_till_is_kept_to(
    client: httpx2.AsyncClient, scoring: Scoring
) -> None:
    late = (await ask(client, 30_000)).json()
    went = held(30_000, decision_id=UUID(late["decision_id"]))
    await hear(scoring, went)
    # Another request under the same key went by the ceiling: it is scored by itself.
    await hear(scoring, held(20_001, decision_id=UUID(late["decision_id"])))
    told = await scoring.told()
    assert [event.data.points for event in told if isinstance(event, SpendFlagged)] == [30_000, 20_001]


async def test_who_was_merged_is_asked_for_as_the_survivor(client: httpx2.AsyncClient, scoring: Scoring) -> None:
    first = (await ask(client, number=2)).json()["decision_id"]
    await MemberHandler(scoring.database).handle(batch_of([merged_into(member(1), member(2))], MEMBERS.topic))
    assert (await ask(client, number=2, decision_id=first)).json()["verdict"] == "allow"
    assert await verdicts(client, 1) + await verdicts(client, 1, 1, number=2) == ["allow", "allow", "step_up"]
    kept = await read_all(client, member(1))
    assert [row["spend_kind"] for row in kept if row["kind"] == "spend_decision"] == ["hold"] * 4


async def test_support_reads_what_was_decided_of_a_member_and_what_became_of_it(
    client: httpx2.AsyncClient, scoring: Scoring
) -> None:
    ids = [str(new_id()) for _ in range(3)]
    for decision_id, points in zip(ids, (100, 25_000, 30_000), strict=True):
        await ask(client, points, decision_id=decision_id)
    by_ceiling = held(30_000)
    events = [
        held(100, decided_by="fraud", decision_id=UUID(ids[0])),
        held(25_000, decided_by="pin", decision_id=UUID(ids[1])),
        by_ceiling,
    ]
    await hear(scoring, *events)
    await hear(scoring, *events[::-1], held(25_000, decided_by="code", decision_id=UUID(ids[1])))
    support, path = bearing("spend-decisions:read"), f"/v1/members/{member(1)}/spend-decisions?limit=3"
    page = (await client.get(path, headers=support)).json()
    rest = (await client.get(f"{path}&cursor={page['next_cursor']}", headers=support)).json()
    told = page["items"] + rest["items"]

    assert [(one["decision_id"], one["verdict"], one["outcome"], one["went_by"]) for one in told] == [
        (ids[2], "step_up", "did_not_go", None),
        (ids[1], "step_up", "went", "pin"),
        (ids[0], "allow", "went", "fraud"),
        (str(by_ceiling.data.decision_id), "step_up", "went", "ceiling"),
    ]
    assert rest["next_cursor"] is None
    assert (told[1]["rule_codes"], told[1]["points"], told[1]["store_id"]) == (["SPEND_AMOUNT"], 25_000, "s1")
    assert not {"rules", "observed", "reasons"} & told[1].keys()
    await MemberHandler(scoring.database).handle(batch_of([merged_into(member(2), member(1))], MEMBERS.topic))
    assert (await client.get(path, headers=support)).json()["items"] == page["items"], "it is the survivor's by then"
    assert (await client.get(path, headers=bearing("cases:read"))).status_code == 403
    bound = bearing("spend-decisions:read", partner_id="grocer")
    assert (await client.get(path, headers=bound)).status_code == 403
