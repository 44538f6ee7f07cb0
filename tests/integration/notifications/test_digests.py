"""Awards become digests, whatever order and however often they come."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from services.notifications.domain.digest import Award
from services.notifications.repository import projections
from services.notifications.repository.projections import Recipient
from services.notifications.use_cases.add_to_digests import add_to_digests
from services.notifications.use_cases.claim_due_messages import claim_due_messages
from services.notifications.use_cases.project_names import project_members, project_partners
from shared.database import Database
from shared.events.coalition import PartnerChanged, PartnerData
from shared.events.members import MemberData, MemberEnrolled
from shared.ids import new_id
from tests.support.notifications import NOON, award

DAY = timedelta(days=1)
LEASE = timedelta(minutes=5)


async def test_awards_of_a_window_make_one_message(database_of: Callable[[str], Database]) -> None:
    database, ada, bo = database_of("notifications"), new_id(), new_id()

    async with database.transaction() as transaction:
        opened_at = transaction.now
        assert await add_to_digests(transaction, [award(ada, 1), award(bo, 2), award(ada, 3)], DAY) == 3
    async with database.transaction() as transaction:
        assert await add_to_digests(transaction, [award(ada, 4)], DAY) == 1
        rows = await transaction.raw.fetch(
            """select member_id, due_at, count(*) as receipts from messages join digest_entries using (message_id)
            group by member_id, due_at order by member_id"""
        )

    assert {row["member_id"]: row["receipts"] for row in rows} == {ada: 3, bo: 1}
    assert {row["due_at"] for row in rows} == {opened_at + DAY}


async def test_a_replay_adds_nothing_and_opens_nothing(database_of: Callable[[str], Database]) -> None:
    database, ada = database_of("notifications"), new_id()
    awards = [award(ada, 1), award(ada, 2)]
    async with database.transaction() as transaction:
        assert await add_to_digests(transaction, [*awards, awards[0]], timedelta(0)) == 2

    async with database.transaction() as transaction:
        assert await add_to_digests(transaction, awards, timedelta(0)) == 0
    async with database.transaction() as transaction:
        assert len(await claim_due_messages(transaction, 10, LEASE)) == 1
    async with database.transaction() as transaction:  # again, now that the digest is on its way
        assert await add_to_digests(transaction, awards, timedelta(0)) == 0
        assert await transaction.raw.fetchval("select count(*) from messages") == 1


async def test_an_award_after_the_digest_was_closed_opens_the_next(database_of: Callable[[str], Database]) -> None:
    database, ada = database_of("notifications"), new_id()
    async with database.transaction() as transaction:
        await add_to_digests(transaction, [award(ada, 1)], timedelta(0))
    async with database.transaction() as transaction:
        first = await claim_due_messages(transaction, 10, LEASE)

    async with database.transaction() as transaction:
        await add_to_digests(transaction, [award(ada, 2, points=7)], timedelta(0))
    async with database.transaction() as transaction:
        second = await claim_due_messages(transaction, 10, LEASE)

    assert [due.digest.points for due in (*first, *second)] == [10, 7]
    assert first[0].message.message_id != second[0].message.message_id


async def test_a_digest_that_is_not_due_stays_open(database_of: Callable[[str], Database]) -> None:
    database, ada = database_of("notifications"), new_id()
    async with database.transaction() as transaction:
        await add_to_digests(transaction, [award(ada, 1)], DAY)

    async with database.transaction() as transaction:
        assert await claim_due_messages(transaction, 10, LEASE) == []
        assert await transaction.raw.fetchval("select state from messages") == "collecting"


async def test_a_digest_that_is_being_extended_is_not_closed_under_the_award(
    database_of: Callable[[str], Database],
) -> None:
    database, ada = database_of("notifications"), new_id()
    async with database.transaction() as transaction:
        await add_to_digests(transaction, [award(ada, 1)], timedelta(0))

    async with database.transaction() as extending:
        await add_to_digests(extending, [award(ada, 2)], timedelta(0))
        async with database.transaction() as claiming:  # it neither waits nor takes half of it
            assert await claim_due_messages(claiming, 10, LEASE) == []

    async with database.transaction() as transaction:
        claimed = await claim_due_messages(transaction, 10, LEASE)
    assert [due.digest.receipts for due in claimed] == [2]


async def test_two_workers_with_the_same_members_in_opposite_order(database_of: Callable[[str], Database]) -> None:
    database = database_of("notifications")
    members = [new_id() for _ in range(20)]
    forth = [award(member_id, number) for number, member_id in enumerate(members)]
    back = [award(member_id, 100 + number) for number, member_id in enumerate(reversed(members))]

    async def add(awards: list[Award]) -> int:
        async with database.transaction() as transaction:  # no retry: a deadlock would fail the test
            return await add_to_digests(transaction, awards, DAY)

    for _ in range(5):
        assert sum(await asyncio.gather(add(forth), add(back))) in (40, 0)

    async with database.transaction() as transaction:
        assert await transaction.raw.fetchval("select count(*) from messages") == 20
        assert await transaction.raw.fetchval("select count(*) from digest_entries") == 40


async def test_the_same_award_in_two_workers_counts_once(database_of: Callable[[str], Database]) -> None:
    database, ada = database_of("notifications"), new_id()

    async def add() -> int:
        async with database.transaction() as transaction:
            return await add_to_digests(transaction, [award(ada, 1)], DAY)

    assert sorted(await asyncio.gather(add(), add(), add())) == [0, 0, 1]


async def test_projections_only_move_forward(database_of: Callable[[str], Database]) -> None:
    database, ada = database_of("notifications"), new_id()

    def enrolled(version: int, language: str) -> MemberEnrolled:
        data = MemberData(member_id=ada, version=version, status="active", language=language)
        return MemberEnrolled(id=new_id(), source="members", subject=str(ada), time=NOON, data=data)

    def partner(version: int, name: str) -> PartnerChanged:
        data = PartnerData(partner_id="grocer", version=version, name=name, state="active")
        return PartnerChanged(id=new_id(), source="coalition", subject="grocer", time=NOON, data=data)

    async with database.transaction() as transaction:
        await project_members(transaction, [enrolled(1, "en"), enrolled(3, "es"), enrolled(2, "fi")])
        await project_partners(transaction, [partner(2, "Corner Grocer"), partner(1, "Grocer")])
    async with database.transaction() as transaction:
        await project_members(transaction, [enrolled(2, "fi")])
        await project_partners(transaction, [partner(1, "Grocer")])

        assert await transaction.raw.fetchval("select language from recipients") == "es"
        assert await transaction.raw.fetchval("select name from partners") == "Corner Grocer"


async def test_points_may_come_before_the_member(database_of: Callable[[str], Database]) -> None:
    database, ada = database_of("notifications"), new_id()
    async with database.transaction() as transaction:
        await add_to_digests(transaction, [award(ada, 1)], timedelta(0))
    async with database.transaction() as transaction:
        await projections.save_recipients(transaction, [Recipient(ada, 1, "active", "es")])

    async with database.transaction() as transaction:
        claimed = await claim_due_messages(transaction, 10, LEASE)
    assert [due.message.language for due in claimed] == ["es"]
    assert [line.partner_name for line in claimed[0].digest.lines] == ["grocer"]  # its name is not known yet
