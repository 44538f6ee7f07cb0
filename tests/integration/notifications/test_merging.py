"""A member who was merged away: what was being collected, and what comes under the old id, reaches the survivor."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest

from services.notifications.use_cases.add_to_digests import add_to_digests
from services.notifications.use_cases.project_names import project_members
from shared.database import Database, Transaction
from shared.database.errors import StartAgainError
from shared.events.members import MemberEvent
from tests.support.interleaving import interleave
from tests.support.member_events import changed
from tests.support.notifications import Post, award, post_office
from tests.support.receipts import merged_into


@pytest.fixture
async def post(database_of: Callable[[str], Database]) -> AsyncIterator[Post]:
    async with post_office(database_of("notifications")) as opened:
        yield opened


async def tell(post: Post, *events: MemberEvent) -> None:
    async with post.database.transaction() as transaction:
        await project_members(transaction, events)


async def test_an_open_digest_and_later_awards_reach_the_survivor(post: Post) -> None:
    ada, ade = await post.member(1), await post.member(2)
    await tell(post, changed(ada, language="de"), changed(ade, language="de"))
    await post.earn(award(ade, 1))

    await tell(post, merged_into(ada, ade, version=9))
    await post.earn(award(ade, 2), award(ada, 3))
    await post.sender.send_due()

    messages = await post.rows("select member_id, state from messages order by message_id")
    assert [(message["member_id"], message["state"]) for message in messages] == [(ada, "sent"), (ada, "sent")]


async def test_a_replay_and_an_old_pair_change_nothing(post: Post) -> None:
    ada, ade, eve = await post.member(1), await post.member(2), await post.member(3)
    merge = merged_into(ada, ade, version=9)
    for _ in range(2):
        await tell(post, changed(ade, language="de"), merge)
    await tell(post, merged_into(eve, ada, version=10))
    await tell(post, merge, changed(ade, language="en"))
    rows = await post.rows("select member_id, status, merged_into from recipients where merged_into is not null")
    assert {(row["member_id"], row["status"], row["merged_into"]) for row in rows} == {
        (ada, "merged", eve),
        (ade, "merged", eve),
    }


async def test_an_award_that_waits_for_the_merge_starts_again(post: Post) -> None:
    ada, ade = await post.member(1), await post.member(2)
    await tell(post, changed(ada, language="de"), changed(ade, language="de"))

    async def collect(transaction: Transaction) -> None:
        with pytest.raises(StartAgainError):
            await add_to_digests(transaction, [award(ade, 1)], timedelta(0))

    await interleave(post.database, lambda merging: project_members(merging, [merged_into(ada, ade, 9)]), collect)
    await post.earn(award(ade, 1))
    assert {message["member_id"] for message in await post.messages()} == {ada}
