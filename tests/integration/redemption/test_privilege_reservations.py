"""Uses of privileges that a till reserves: each becomes its own receipt's, or ends."""

from collections import Counter
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from services.redemption.api.privilege_checks import privilege_checks_router
from services.redemption.api.refusals import DOMAIN_PROBLEMS
from services.redemption.use_cases.reserve_privileges import NoUsesLeftError
from shared.ids import new_id
from tests.support.adjusting import slug
from tests.support.member_data import served
from tests.support.privilege_uses import back, reserve, settle, standing, using
from tests.support.privileges import applied, checked, declared, terms
from tests.support.receipts import member
from tests.support.redemption import Spending, partner
from tests.support.registries import bearing

ANNA, BERT = member(1), member(2)
TILL = bearing("redemptions:write", client_id="till", partner_id="grocer")
EACH_ONCE = {"per": "member", "uses_max": 1}
ONE_IN_ALL = {"per": "all", "uses_max": 1}


async def test_a_reservation_becomes_its_receipts_use_or_ends_when_purchases_were_read(
    spending: Spending,
) -> None:
    await spending.enrol(ANNA)
    programme = await declared(spending, terms("tenth", limits=[EACH_ONCE]))
    session = await reserve(spending, programme)
    assert await reserve(spending, programme, session_id=session) == session
    with pytest.raises(NoUsesLeftError):
        await reserve(spending, programme)
    assert (await checked(spending, programme, ANNA)).spent == ["tenth"]

    now = await spending.now()
    late = using(1)  # an offline till gave it without asking: what was promised comes first
    changes = await settle(spending, late, using(2, session_id=session), read_to=now)
    assert {change.after.use.session_id: change.outcome for change in changes} == {
        session: "used",
        None: "limit_exceeded",
    }
    await settle(spending, back(using(2), 20, 10_000), back(late, 21, 10_000))
    again = await reserve(spending, programme)
    after_its_end = now + timedelta(hours=1)
    changes = await settle(spending, using(3), read_to=after_its_end)
    assert [change.outcome for change in changes] == ["used"]
    assert [change.outcome for change in await settle(spending, using(4, session_id=again), read_to=after_its_end)] == [
        "limit_exceeded"
    ]


async def test_a_till_reserves_over_http_and_one_conversation_is_of_one_member(spending: Spending) -> None:
    await spending.enrol(ANNA)
    await spending.enrol(BERT)
    await spending.coalition(partner("grocer", "Grocer"))
    programme = await declared(spending, terms("tenth", limits=[EACH_ONCE]), terms("far", stores=["grocer/s9"]))
    session = str(new_id())
    body: dict[str, Any] = {"member_id": str(ANNA), "session_id": session, "privilege_ids": ["tenth"]}
    quarter = timedelta(minutes=15)
    async with served(privilege_checks_router(spending.database, programme, quarter), DOMAIN_PROBLEMS) as till:

        async def post(**change: Any) -> httpx2.Response:
            headers = TILL | {"Idempotency-Key": new_id().hex}
            return await till.post("/v1/privileges:reserve", json=body | change, headers=headers)

        kept = await post()
        assert (kept.status_code, kept.json()["privilege_ids"]) == (201, ["tenth"])
        assert slug(await post(member_id=str(BERT))) == (409, "other-session")
        assert slug(await post(session_id=str(new_id()))) == (409, "no-uses-left")
        assert slug(await post(privilege_ids=["far"])) == (409, "not-entitled")
        asked = {"member_id": str(ANNA), "session_id": session, "lines": [{"line_id": 1, "amount_minor": 500}]}
        answer = (await till.post("/v1/privileges:check", json=asked, headers=TILL)).json()
        assert [(one["privilege_id"], one["uses_left"]) for one in answer["privileges"]] == [("tenth", 1)]
        asked.pop("session_id")
        answer = (await till.post("/v1/privileges:check", json=asked, headers=TILL)).json()
        assert answer["withheld"] == [{"privilege_id": "tenth", "reason": "no_uses_left"}]


async def test_one_reservation_is_one_receipts_and_no_other_partners(spending: Spending) -> None:
    """A session's id on another receipt, or on another partner's, neither uses up nor hides what was promised."""
    await spending.coalition(partner("grocer", "Grocer"), partner("fuel", "Fuel"))
    await spending.enrol(ANNA)
    await spending.enrol(BERT)
    programme = await declared(spending, terms("tenth", limits=[ONE_IN_ALL]))
    session = await reserve(spending, programme)

    stranger = using(1, None, session_id=session, partner_id="fuel")
    await settle(spending, stranger)
    assert [use[2] for use in await standing(spending)] == ["limit_exceeded"]
    with pytest.raises(NoUsesLeftError):
        await reserve(spending, programme, BERT)

    first, second = using(2, session_id=session), using(3, session_id=session)
    await settle(spending, first, second)
    assert Counter(use[2] for use in await standing(spending)) == {"limit_exceeded": 2, None: 1}


async def test_a_reservation_of_one_member_is_not_anothers(spending: Spending) -> None:
    """A till that keeps a use with one card and sells with another one has kept nothing for it."""
    await spending.enrol(ANNA)
    await spending.enrol(BERT)
    programme = await declared(spending, terms("tenth", limits=[EACH_ONCE]))
    await settle(spending, using(1, BERT))
    session = await reserve(spending, programme)
    await settle(spending, using(2, BERT, session_id=session))
    assert [use[2] for use in await standing(spending)] == [None, "limit_exceeded"]
    assert applied(await checked(spending, programme, ANNA)) == {}  # it is kept for Anna still
    await settle(spending, using(3, session_id=session))
    assert [use[2] for use in await standing(spending)] == [None, "limit_exceeded", None]
