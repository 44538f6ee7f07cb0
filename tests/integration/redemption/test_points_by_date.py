"""What lapses when, and what can be spent from when: whatever happened, the days add up to the balance beside them."""

import random
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx2
import pytest

from services.redemption.domain.by_date import DAYS_MAX
from shared import ledger
from shared.database import Database
from shared.database.roles import role_name
from shared.ids import new_id
from shared.ledger import Command, Earn, EarnPending, Expire, Limits, LotTerms, Release, Reserve, Suspend, Void
from shared.point_types import OtherPointType
from tests.support.adjusting import slug
from tests.support.databases import FreshDatabase
from tests.support.pooling import Place, move_in, pooled
from tests.support.receipts import member, merged_into
from tests.support.redemption import Spending
from tests.support.redemption_service import redemption_service
from tests.support.registries import bearing

ANNA, BERT = member(1), member(2)
ZONE = "Asia/Tokyo"  # where most of UTC's day is another one
OTHERS = (OtherPointType(code="miles", use="spend", exponent=2), OtherPointType(code="status"))
AT_FUEL = Limits(partners=("fuel",))
NOTHING = {"days": [], "later_points": 0, "undated_points": 0}


@pytest.fixture(scope="module")
async def client(own_database: FreshDatabase) -> AsyncIterator[httpx2.AsyncClient]:
    async with redemption_service(own_database, "api", other_point_types=OTHERS, time_zone=ZONE) as client:
        yield client


@pytest.fixture
async def today(spending: Spending) -> date:
    return (await spending.now()).astimezone(ZoneInfo(ZONE)).date()


@pytest.fixture
async def accrual(own_database: FreshDatabase) -> AsyncIterator[Database]:
    database = Database(own_database.url(role_name("accrual")))
    yield database
    await database.close()


def lot(today: date, expires_in_days: int | None, limits: Limits | None = None, waits_days: int = -90) -> LotTerms:
    expires_on = None if expires_in_days is None else today + timedelta(expires_in_days)
    return LotTerms("grocer", today + timedelta(waits_days), expires_on, limits=limits)


def earned(terms: LotTerms, points: int, point_type: str = "points", owner: UUID = ANNA) -> Earn:
    return Earn(owner, point_type, new_id().bytes, points, terms)


def waiting(terms: LotTerms, points: int) -> EarnPending:
    award = new_id().bytes
    return EarnPending(ANNA, "points", award, points, terms, award)


async def post(spending: Spending, *commands: Command) -> None:
    await spending.do(lambda transaction: ledger.post(transaction, commands))


async def balances(client: httpx2.AsyncClient, member_id: UUID = ANNA) -> dict[str, dict[str, Any]]:
    """By type; all that has days adds up."""
    answer = await client.get(f"/v1/members/{member_id}/balance?by_date=true", headers=bearing("balances:read"))
    assert answer.status_code == 200, answer.text
    told = {one["point_type"]: one for one in answer.json()["balances"]}
    for one in told.values():
        assert one["available"] == summed(one["available_by_expiry"])
        assert one["pending"] == summed(one["pending_by_date"])
    return told


def summed(by_date: dict[str, Any]) -> int:
    of_days: int = sum(day["points"] for day in by_date["days"])
    return of_days + int(by_date["later_points"]) + int(by_date["undated_points"])


def days(today: date, by_date: dict[str, Any]) -> dict[int, int]:
    """Points by the number of days from today."""
    return {(date.fromisoformat(day["date"]) - today).days: day["points"] for day in by_date["days"]}


async def test_each_type_tells_its_own_days_of_what_is_the_members_own(
    client: httpx2.AsyncClient, spending: Spending, today: date
) -> None:
    await spending.enrol(ANNA)
    await spending.enrol(BERT)
    await move_in(spending, 1, Place(ANNA), Place(BERT))
    checked = earned(lot(today, 10), 60)
    await post(
        spending,
        checked,
        earned(lot(today, None), 100),
        earned(lot(today, 5, AT_FUEL), 40),
        waiting(lot(today, 400, waits_days=3), 30),
        waiting(lot(today, 400, waits_days=0), 7),  # for an event, which has no day
        Suspend(ANNA, "points", checked.reference, 20, checked.terms, checked.reference),
        earned(lot(today, 10), 500, "miles"),
        earned(lot(today, None), 9, "status"),
        earned(lot(today, 1), 200, owner=BERT),
    )
    await spending.held(ANNA, 25)
    lent = await pooled(spending, BERT, 250)  # 50 of them Anna's
    await post(spending, earned(lot(today, 0), 11))  # no longer to be spent today

    told = await balances(client)

    points = told["points"]
    assert (points["available"], points["held"], points["pending"], points["pooled"]) == (105, 75, 57, 0)
    assert (days(today, points["available_by_expiry"]), points["available_by_expiry"]["undated_points"]) == (
        {5: 40},
        65,
    )
    assert (days(today, points["pending_by_date"]), points["pending_by_date"]["undated_points"]) == ({3: 30}, 27)
    assert days(today, told["miles"]["available_by_expiry"]) == {10: 500}
    assert told["status"]["available_by_expiry"] == NOTHING | {"undated_points": 9}
    assert told["miles"]["pending_by_date"] == NOTHING

    await spending.void(lent.redemption_id)

    points = (await balances(client))["points"]
    assert (points["available"], points["pooled"]) == (155, 200)  # what others lend has days of theirs
    assert days(today, points["available_by_expiry"]) == {5: 40, 10: 15}


async def test_many_days_are_told_in_one_sum_after_the_nearest(
    client: httpx2.AsyncClient, spending: Spending, today: date
) -> None:
    await spending.enrol(ANNA)
    await post(spending, *[earned(lot(today, day), day) for day in range(DAYS_MAX + 3, 0, -1)])

    expiring = (await balances(client))["points"]["available_by_expiry"]

    assert days(today, expiring) == {day: day for day in range(1, DAYS_MAX + 1)}
    assert expiring["later_points"] == sum(range(DAYS_MAX + 1, DAYS_MAX + 4))


class Happenings:
    """What may happen to the points of two members, by chance."""

    def __init__(self, seed: int, today: date) -> None:
        self.chance, self.today = random.Random(seed), today
        self.awards: list[tuple[UUID, str, bytes, LotTerms]] = []
        self.holds: list[tuple[UUID, str, UUID]] = []

    def next(self) -> Command:
        kinds = [self.earn, self.earn, self.wait]
        kinds += [self.reserve, self.suspend, self.release, self.expire] if self.awards else []
        kinds += [self.void] if self.holds else []
        return self.chance.choice(kinds)(new_id().bytes)

    def whose(self) -> tuple[UUID, str]:
        return self.chance.choice((ANNA, BERT)), self.chance.choice(("points", "miles"))

    def points(self) -> int:
        return self.chance.randint(1, 90)

    def earn(self, reference: bytes) -> Command:
        owner, point_type = self.whose()
        terms = lot(self.today, self.chance.choice((None, 0, 1, 2, 30)), self.chance.choice((None, AT_FUEL)), -3)
        self.awards.append((owner, point_type, reference, terms))
        return Earn(owner, point_type, reference, self.points(), terms)

    def wait(self, reference: bytes) -> Command:
        owner, point_type = self.whose()
        terms = lot(self.today, self.chance.choice((None, 40)), None, self.chance.choice((0, 1, 5)))
        self.awards.append((owner, point_type, reference, terms))
        return EarnPending(owner, point_type, reference, self.points(), terms, reference)

    def suspend(self, reference: bytes) -> Command:
        owner, point_type, award, terms = self.chance.choice(self.awards)
        return Suspend(owner, point_type, reference, self.points(), terms, award)

    def release(self, reference: bytes) -> Command:
        owner, point_type, award, terms = self.chance.choice(self.awards)
        return Release(owner, point_type, reference, terms, award)

    def expire(self, reference: bytes) -> Command:
        owner, point_type, _, terms = self.chance.choice(self.awards)
        return Expire(owner, point_type, reference, terms)

    def reserve(self, reference: bytes) -> Command:
        owner, point_type = self.whose()
        hold_id = new_id()
        self.holds.append((owner, point_type, hold_id))  # of those that are refused, a void is, too
        return Reserve(owner, point_type, reference, self.points() // 4 + 1, hold_id)

    def void(self, reference: bytes) -> Command:
        owner, point_type, hold_id = self.holds.pop(0)
        return Void(owner, point_type, reference, hold_id)


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happened_the_days_add_up(
    client: httpx2.AsyncClient, spending: Spending, accrual: Database, today: date, seed: int
) -> None:
    """Also of two who turned out to be one, under either id."""
    await spending.enrol(ANNA)
    await spending.enrol(BERT)
    happenings = Happenings(seed, today)

    for _ in range(40):
        await post(spending, happenings.next())
    apart = [await balances(client, owner) for owner in (ANNA, BERT)]
    await accrual.run(lambda transaction: ledger.merge(transaction, BERT, ANNA))
    await spending.members(merged_into(ANNA, BERT))
    together = await balances(client, BERT)

    assert any(one["held"] for one in together.values())
    assert any(one["pending_by_date"]["days"] for one in together.values())
    assert any(one["available_by_expiry"]["days"] for one in together.values())
    assert together == await balances(client, ANNA)
    for code, one in together.items():
        for field in ("available", "held", "pending"):
            assert one[field] == sum(each[code][field] for each in apart if code in each)
    await post(spending, *[happenings.void(new_id().bytes) for _ in tuple(happenings.holds)])
    assert not any(one["held"] for one in (await balances(client)).values())


async def test_days_are_the_programmes_and_told_only_when_asked_for(
    client: httpx2.AsyncClient, spending: Spending, today: date
) -> None:
    await spending.enrol(ANNA)
    await post(spending, earned(lot(today, 10), 60))
    till = bearing("balances:read", client_id="g", partner_id="grocer")

    plain = await client.get(f"/v1/members/{ANNA}/balance", headers=till)
    refused = await client.get(f"/v1/members/{ANNA}/balance?by_date=true", headers=till)
    nobody = await client.get(f"/v1/members/{member(9)}/balance?by_date=true", headers=bearing("balances:read"))

    assert not {"available_by_expiry", "pending_by_date"} & plain.json()["balances"][0].keys()
    assert slug(refused) == (403, "programme-only")
    assert slug(nobody) == (404, "unknown-member")
