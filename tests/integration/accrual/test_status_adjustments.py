"""Status points are adjusted like any others, one by one and by file, and tiers that count them follow."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import httpx2
import pytest

from shared.events.adjustments import PointsAdjusted, PointsReinstated
from shared.ledger import Balances, ClawBack, Earn, Expire, LotTerms, load_balances
from tests.support.accrual import Accrual
from tests.support.accrual_tiers import publish, tier_changes, tier_of
from tests.support.adjusting import (
    ADJUSTMENTS,
    FILES,
    SUPPORT,
    Client,
    adjust,
    asked,
    decide,
    listed,
    settle_all,
    slug,
)
from tests.support.applications import application
from tests.support.databases import FreshDatabase
from tests.support.ledger_database import posted, verified
from tests.support.registries import bearing
from tests.support.tiers import scheme

TODAY = datetime.now(UTC).date()
STATUS = {"point_type": "status"}


@pytest.fixture(scope="module")
async def client(module_database: FreshDatabase, module_accrual: Accrual) -> AsyncIterator[httpx2.AsyncClient]:
    """Of a programme whose tiers count status points."""
    await publish(module_accrual, scheme(points_of="status"))
    types = '[{"code": "status"}]'
    url = module_database.url("tessera_accrual")
    async with application("accrual", url, TESSERA_OTHER_POINT_TYPES=types) as app:
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as opened:
            yield opened


async def status_of(accrual: Accrual, owner: UUID) -> Balances:
    async with accrual.database.transaction() as transaction:
        return (await load_balances(transaction, [owner], "status"))[owner]


async def test_status_points_that_are_given_and_taken_make_and_unmake_a_tier(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    given = await adjust(client, asked(anna, 120, **STATUS), key="mend")
    again = await adjust(client, asked(anna, 120, **STATUS), key="mend")

    assert given.status_code == 201, given.text
    assert again.json() == given.json()
    assert (given.json()["point_type"], given.json()["posted_points"]) == ("status", 120)
    assert (await status_of(module_accrual, anna), await module_accrual.balance(anna)) == (
        Balances(available=120),
        Balances(),
    )
    told = await module_accrual.drain()
    assert [(each.data.point_type, each.data.points) for each in told if isinstance(each, PointsAdjusted)] == [
        ("status", 120)
    ]
    assert [type(each).__name__ for each in told] == ["PointsAdjusted", "TierChanged"]
    assert await tier_of(module_accrual, anna) == "silver"

    assert (await adjust(client, asked(anna, 400))).json()["state"] == "posted"  # the programme's own: nobody qualifies
    assert await tier_of(module_accrual, anna) == "silver"
    assert slug(await adjust(client, asked(anna, -121, **STATUS))) == (409, "insufficient-points")
    assert await tier_changes(module_accrual) == []
    assert slug(await adjust(client, asked(anna, 1, point_type="miles"))) == (422, "invalid-request")


async def test_what_is_large_waits_for_a_second_person_and_counts_when_it_is_let_through(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    assert (await adjust(client, asked(anna, 9_000, **STATUS))).json()["state"] == "posted"
    assert (await adjust(client, asked(anna, 9_000), by="another")).json()["state"] == "posted"
    waiting = (await adjust(client, asked(anna, 9_000, **STATUS), by="third")).json()
    assert waiting["state"] == "waiting", "points of all types count against a member's day"
    assert (await status_of(module_accrual, anna)).available == 9_000

    approved = await decide(client, f"{ADJUSTMENTS}/{waiting['adjustment_id']}/approve")
    assert approved.json()["state"] == "posted"
    async with module_accrual.database.transaction() as transaction:
        counted = await transaction.raw.fetchval("select sum(points) from tier_days where member_id = $1", anna)
    assert counted == 18_000


async def test_a_file_names_types_and_its_lines_count(client: Client, module_accrual: Accrual, anna: UUID) -> None:
    headers = bearing("adjustments:write", client_id=SUPPORT)
    declared = await client.post(FILES, json={"name": "status-of-may"}, headers=headers)
    content = (
        "member_id,points,reason_code,point_type\n"
        f"{anna},500,mistake,status\n{anna},7,mistake,\n{anna},9,mistake,miles\n{anna},-50,mistake,status\n"
    )
    url = declared.json()["content_url"]
    answer = await client.put(url, content=content, headers=headers | {"Content-Type": "text/csv"})
    assert (answer.json()["accepted"], answer.json()["refused"]) == (3, 1)
    assert await settle_all(module_accrual) == 3
    assert await settle_all(module_accrual) == 0

    assert (await status_of(module_accrual, anna)).available == 450
    assert (await module_accrual.balance(anna)).available == 7
    assert [each.new_tier for each in await tier_changes(module_accrual)] == [
        "gold"
    ]  # what is taken leaves a tier here
    async with module_accrual.database.transaction() as transaction:
        counted = await transaction.raw.fetchval("select sum(points) from tier_days where member_id = $1", anna)
    assert counted == 450
    (refusal,) = await listed(client, declared.json()["refusals_url"])
    assert (refusal["reason"], refusal["column"]) == ("unknown_point_type", "point_type")


async def test_status_points_that_lapsed_or_are_owed_are_given_back_and_forgiven_and_count_once(
    client: Client, module_database: FreshDatabase, module_accrual: Accrual, anna: UUID
) -> None:
    terms = LotTerms("grocer", date(2024, 1, 1), TODAY - timedelta(days=3))
    await posted(
        module_accrual.database,
        Earn(anna, "status", b"long ago", 80, terms),
        Expire(anna, "status", b"long ago", terms),
        ClawBack(anna, "status", b"back", 30, LotTerms("grocer", TODAY, None), b"never had"),
    )
    of_status = {"point_type": "status"}
    reader = bearing("adjustments:read")
    lapsed = (await client.get(f"/v1/members/{anna}/lapsed-points", params=of_status, headers=reader)).json()
    owed = (await client.get(f"/v1/members/{anna}/debts", params=of_status, headers=reader)).json()
    assert (lapsed["point_type"], lapsed["points"], owed["point_type"], owed["points"]) == ("status", 80, "status", 30)
    await module_accrual.drain()

    body = {"points": 10, "reason_code": "goodwill"} | STATUS
    headers = bearing("debts:write-off", client_id=SUPPORT)
    waiting = (await client.post(f"/v1/members/{anna}/debt:write-off", json=body, headers=headers)).json()
    assert (await decide(client, f"{ADJUSTMENTS}/{waiting['adjustment_id']}/approve")).json()["posted_points"] == 10
    body["points"] = 80
    headers = bearing("points:reinstate", client_id=SUPPORT)
    back = await client.post(f"/v1/members/{anna}/points:reinstate", json=body, headers=headers)
    assert back.json()["posted_points"] == 80
    assert await status_of(module_accrual, anna) == Balances(available=60)
    told = [each.data.point_type for each in await module_accrual.drain() if isinstance(each, PointsReinstated)]
    assert told == ["status"]
    assert await tier_of(module_accrual, anna) == "basic"  # what lapsed had counted when it was awarded
    assert (await verified(module_database)).findings == ()
