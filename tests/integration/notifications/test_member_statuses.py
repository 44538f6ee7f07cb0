"""Who may be written to: every cell of the README's table, by what the topic tells and by what the registry answers."""

from collections.abc import AsyncIterator, Callable
from uuid import UUID

import pytest

from services.notifications.domain.standing import SUPPRESSES
from services.notifications.use_cases.project_names import project_members
from shared.database import Database
from shared.events.members import MemberEvent, MemberStatus
from tests.support.member_events import STATUSES, changed, status_changed
from tests.support.notifications import Post, award, post_office, reasons

SENT = ("sent", None)
# The README's table.
ENDS: dict[MemberStatus, tuple[str, str | None]] = {
    "active": SENT,
    "suspended": SENT,
    "earn_only": SENT,
    "spend_locked": SENT,
    "merged": ("suppressed", "member_merged"),
    "closed": ("suppressed", "member_closed"),
    "erased": ("suppressed", "member_erased"),
}


@pytest.fixture
async def post(database_of: Callable[[str], Database]) -> AsyncIterator[Post]:
    async with post_office(database_of("notifications")) as opened:
        yield opened


async def tell(post: Post, *events: MemberEvent) -> None:
    async with post.database.transaction() as transaction:
        await project_members(transaction, events)


async def ends(post: Post, members: list[UUID]) -> list[tuple[str, str | None]]:
    """How the members' messages ended, in the order of the members."""
    by_member = dict(
        zip((message["member_id"] for message in await post.messages()), reasons(await post.messages()), strict=True)
    )
    return [by_member[member_id] for member_id in members]


def test_the_table_has_every_status() -> None:
    assert set(SUPPRESSES) == {*STATUSES, "unknown"}
    assert set(ENDS) == set(STATUSES)


async def test_by_what_the_topic_tells(post: Post) -> None:
    members = [await post.member(number) for number in range(len(STATUSES))]
    await post.earn(*(award(member_id, number) for number, member_id in enumerate(members)))
    await tell(post, *(status_changed(*told) for told in zip(members, STATUSES, strict=True)))

    await post.sender.send_due()

    assert await ends(post, members) == [ENDS[status] for status in STATUSES]
    asked = [member_id for member_id, status in zip(members, STATUSES, strict=True) if ENDS[status] == SENT]
    assert sorted(post.registry.questions) == sorted(asked)  # nobody else's address was even read


async def test_by_what_the_registry_answers(post: Post) -> None:
    members = [await post.member(number, status=status) for number, status in enumerate(STATUSES)]
    await post.earn(*(award(member_id, number) for number, member_id in enumerate(members)))

    await post.sender.send_due()

    assert await ends(post, members) == [ENDS[status] for status in STATUSES]


async def test_a_status_and_a_language_only_move_to_a_higher_version(post: Post) -> None:
    ada = await post.member(1)
    await tell(post, changed(ada, 3, language="de"), changed(ada, 2, language="fr"))
    await tell(post, status_changed(ada, "closed", version=2))
    known = "select status, language, version from recipients"
    assert await post.rows(known) == [{"status": "active", "language": "de", "version": 3}]

    await tell(post, status_changed(ada, "closed", version=4))

    assert [row["status"] for row in await post.rows(known)] == ["closed"]
