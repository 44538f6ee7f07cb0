"""An erased member: what was told is forgotten, what was about to be told is not said, and nothing new begins."""

from collections.abc import AsyncIterator, Callable

import pytest

from services.notifications.consumer import TopicHandler, take_members
from services.notifications.use_cases.project_names import project_members
from shared.database import Database
from shared.events.members import MemberEvent
from tests.support.dead_letters import unhandled
from tests.support.member_events import changed, erased, status_changed
from tests.support.notifications import Post, award, post_office
from tests.support.receipts import card


@pytest.fixture
async def post(database_of: Callable[[str], Database]) -> AsyncIterator[Post]:
    async with post_office(database_of("notifications")) as opened:
        yield opened


async def tell(post: Post, *events: MemberEvent) -> None:
    async with post.database.transaction() as transaction:
        await project_members(transaction, events)


async def die(post: Post, offset: int, key: str) -> None:
    letter = unhandled(offset, key, topic="loyalty.points")
    await TopicHandler(post.database, take_members).dead_lettered(letter)


async def test_messages_sent_and_open_are_forgotten_with_the_language(post: Post) -> None:
    ada, bo = await post.member(1), await post.member(2)
    await tell(post, changed(ada, language="de"), changed(bo, language="de"))
    await post.earn(award(ada, 1), award(bo, 2))
    await post.sender.send_due()
    await post.earn(award(ada, 3), award(bo, 4))  # due: the next pass would send it
    await die(post, 1, str(ada))
    await die(post, 2, card(1))

    await tell(post, erased(ada, card(1)))
    await post.sender.send_due()

    assert {message["member_id"] for message in await post.messages()} == {bo}
    assert post.mail.recipients.count("member1@example.com") == 1
    assert await post.rows("select language, digest_id from recipients where status = 'erased'") == [
        {"language": None, "digest_id": None}
    ]
    assert await post.rows("select count(*) as entries from digest_entries") == [{"entries": 2}]
    assert await post.rows("select distinct fate from dead_letters") == [{"fate": "erased"}]


async def test_nothing_that_comes_late_begins_anything(post: Post) -> None:
    ada = await post.member(1)
    await tell(post, erased(ada, version=5))

    await tell(post, changed(ada, 7, language="de"), status_changed(ada, "active", version=8), erased(ada, version=9))
    assert await post.earn(award(ada, 1)) == 0
    await die(post, 1, str(ada))

    assert await post.messages() == []
    assert await post.rows("select status, language from recipients") == [{"status": "erased", "language": None}]
    assert await post.rows("select fate from dead_letters") == [{"fate": "erased"}]
