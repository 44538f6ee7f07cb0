"""A till that changes over to another key is let in with both for a while, by accrual and redemption alike."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest

from services.accrual.repository import places as accrual
from services.accrual.use_cases.project_coalition import project_coalition as project_in_accrual
from services.redemption.repository import places as redemption
from services.redemption.use_cases.project import project_coalition as project_in_redemption
from shared.database import Database, Transaction
from shared.events.coalition import TillChanged, TillData
from shared.ids import new_id
from tests.support.receipts import NOON

OLD, NEW = "a" * 64, "b" * 64

Project = Callable[[Transaction, list[TillChanged]], Awaitable[object]]
Find = Callable[[Transaction, str], Awaitable[object]]


def changed(version: int, until: datetime | None, *, is_revoked: bool = False) -> TillChanged:
    data = TillData(
        partner_id="grocer",
        store_id="s1",
        till_id="1",
        version=version,
        key_scheme="sequence",
        key_sha256=NEW,
        is_revoked=is_revoked,
        previous_key_sha256=OLD if until else None,
        previous_key_until=until,
    )
    return TillChanged(id=new_id(), source="test", subject="grocer/s1/1", time=NOON, data=data)


@pytest.mark.parametrize(
    ("service", "project", "find"),
    [
        ("accrual", project_in_accrual, accrual.find_till_by_key),
        ("redemption", project_in_redemption, redemption.find_till),
    ],
)
async def test_the_old_key_is_good_until_its_time_and_no_longer(
    database_of: Callable[[str], Database], service: str, project: Project, find: Find
) -> None:
    database = database_of(service)

    async def let_in(change: TillChanged) -> list[bool]:
        async with database.transaction() as transaction:
            await project(transaction, [change])
            return [await find(transaction, key) is not None for key in (OLD, NEW)]

    async with database.transaction() as transaction:
        now = transaction.now
    assert await let_in(changed(2, now + timedelta(hours=1))) == [True, True]
    assert await let_in(changed(1, None)) == [True, True]  # an older word changes nothing
    assert await let_in(changed(3, now - timedelta(seconds=1))) == [False, True]
    assert await let_in(changed(4, now + timedelta(hours=1), is_revoked=True)) == [False, False]
