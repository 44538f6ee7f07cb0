"""News of points and tiers: gathered for a while, told once, in one message; and forgotten with whom they are of."""

from collections.abc import AsyncIterator, Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.notifications.consumer import take_points
from services.notifications.repository.retention import SETTLED_MESSAGES
from services.notifications.use_cases.project_names import project_members
from shared.database import Database, Transaction
from shared.database.errors import StartAgainError
from shared.events.balances import Balance
from shared.events.members import MemberEvent
from shared.events.points import GivenPoints, TakenPoints
from shared.events.redemptions import PooledPoints
from shared.ids import new_id
from shared.point_types import ONE_TYPE
from tests.support.interleaving import Work, interleave
from tests.support.member_events import changed, erased
from tests.support.notifications import NOON, RECEIPT, Post, award, happened, post_office, send_all
from tests.support.receipts import card, merged_into

HOUR = timedelta(hours=1)


@pytest.fixture
async def post(database_of: Callable[[str], Database]) -> AsyncIterator[Post]:
    async with post_office(database_of("notifications")) as opened:
        yield opened


async def tell(post: Post, *events: MemberEvent) -> None:
    async with post.database.transaction() as transaction:
        await project_members(transaction, events)


def hearing(*events: Any) -> Work:
    take = take_points(timedelta(0), timedelta(0), ONE_TYPE)
    return lambda transaction: take(transaction, events)


async def texts(post: Post) -> list[str]:
    bodies = [mail.get_body(("plain",)) for mail in post.mail.parsed()]
    return [str(body.get_content()) for body in bodies if body is not None]


async def test_what_happens_within_an_hour_is_one_message_that_says_it_all(post: Post) -> None:
    ada, bo = await post.member(1), await post.member(2)
    await post.hear(
        happened("tier", ada, new_tier="gold"),
        happened("expiring", ada, points=30, expires_on=date(2026, 12, 1)),
        happened("clawed_back", bo, points=9, became_debt=4),
        delay=HOUR,
    )
    await post.hear(happened("released", ada, points=7), happened("released", ada, points=5), delay=HOUR)
    assert await send_all(post.sender) == 0
    assert await post.states() == ["collecting", "collecting"]

    await post.rows("update recipients set news_due_at = now() - interval '1 second'")
    assert await send_all(post.sender) == 2

    mails = dict(zip(post.mail.recipients, await texts(post), strict=True))
    assert [line for line in mails["member1@example.com"].splitlines() if line.startswith("- ")] == [
        "- Your tier is now gold.",
        "- 30 points can be spent until 2026-11-30, that day included. Afterwards they are gone.",
        "- 12 points that had to wait can be spent now.",
    ]
    assert "- 4 points had been spent before goods came back." in mails["member2@example.com"]
    assert {told["data"]["template"] for told in await post.told()} == {"points_news"}


@pytest.mark.parametrize("is_refund_heard_first", [True, False])
async def test_goods_that_points_had_paid_for_come_back_and_one_message_says_what_is_owed_after_both(
    post: Post, *, is_refund_heard_first: bool
) -> None:
    """Their points had been spent: accrual takes back what is owed then, and redemption gives back what pays it."""
    ada, bo, cy = [await post.member(number) for number in (1, 2, 3)]
    owed = [happened("clawed_back", owner, points=40, became_debt=40) for owner in (ada, bo, cy)]
    pooled = [PooledPoints(member_id=ada, points=5, balance=Balance(available=5, held=0, pending=0, debt=0))]
    refunds = [
        happened("refunded", ada, points=100, debt_cleared=40),
        happened("refunded", bo, points=30, debt_cleared=30),
        happened("refunded", cy, points=30, debt_cleared=30, pooled=pooled),  # it may be whoever lent points who owed
    ]
    hears = [(post.hear, owed), (post.hear_refunds, refunds)]
    for hear, events in reversed(hears) if is_refund_heard_first else hears:
        await hear(*events, delay=HOUR)
        await hear(*events, delay=HOUR)

    await post.rows("update recipients set news_due_at = now() - interval '1 second'")
    await send_all(post.sender)

    mails = dict(zip(post.mail.recipients, await texts(post), strict=True))
    assert "- 10 points had been spent before goods came back." in mails["member2@example.com"]
    assert "- 40 points had been spent before goods came back." in mails["member3@example.com"]
    assert sorted((one["state"], one["reason"]) for one in await post.messages()) == [
        ("sent", None),
        ("sent", None),
        ("suppressed", "nothing_to_tell"),
    ]


async def test_of_an_exchange_the_net_is_told_in_one_message(post: Post) -> None:
    ada, bo, cy = [await post.member(number) for number in (1, 2, 3)]
    exchanges = [
        happened("exchanged", ada, given=(given(100),), taken=(taken(60),), debt_cleared=50),
        happened("exchanged", bo, given=(given(60),), taken=(taken(60),)),
        happened("exchanged", cy, given=(given(10),), taken=(taken(60),), became_debt=20),
    ]

    await post.hear(*exchanges)
    await post.hear(*exchanges)

    assert await send_all(post.sender) == 2
    mails = dict(zip(post.mail.recipients, await texts(post), strict=True))
    assert mails.keys() == {"member1@example.com", "member3@example.com"}
    assert "40 points" in mails["member1@example.com"]
    assert "- 20 points had been spent before goods came back." in mails["member3@example.com"]


def given(points: int) -> GivenPoints:
    return GivenPoints(receipt_id=RECEIPT, occurred_at=NOON, points=points)


def taken(points: int) -> TakenPoints:
    return TakenPoints(receipt_id=RECEIPT, points=points)


async def test_a_replay_of_the_topic_tells_nothing_twice(post: Post) -> None:
    ada = await post.member(1)
    events = [happened("tier", ada), happened("expired", ada), happened("adjusted", ada)]
    await post.hear(*events, events[0])
    await post.hear(*events)
    await send_all(post.sender)
    await post.hear(*reversed(events))
    assert await send_all(post.sender) == 0

    assert len(post.mail.recipients) == 1
    assert len(await post.rows("select * from news_entries")) == 3


async def test_news_and_a_digest_are_messages_of_their_own_and_go_side_by_side(post: Post) -> None:
    ada = await post.member(1)
    await post.earn(award(ada, 1))
    await post.hear(happened("recorded", ada, points=50, type_code="profile-filled"))
    assert await send_all(post.sender) == 2

    messages = await post.rows("select template, state from messages order by template")
    assert [tuple(message.values()) for message in messages] == [("points_digest", "sent"), ("points_news", "sent")]
    assert any("50 points for: profile filled." in text for text in await texts(post))


async def test_points_that_are_not_the_programmes_own_are_no_news(post: Post) -> None:
    ada = await post.member(1)
    await post.hear(happened("expired", ada, point_type="status"), happened("clawed_back", ada, became_debt=0))
    assert await post.messages() == []


async def test_news_of_a_merged_member_reach_the_survivor(post: Post) -> None:
    ada, ade = await post.member(1), await post.member(2)
    await tell(post, changed(ada, language="en"), changed(ade, language="en"))
    await post.hear(happened("tier", ade))

    await tell(post, merged_into(ada, ade, version=9))
    await post.hear(happened("expired", ade), happened("adjusted", ada))
    await send_all(post.sender)

    assert {message["member_id"] for message in await post.messages()} == {ada}
    assert set(post.mail.recipients) == {"member1@example.com"}


async def test_news_that_wait_for_the_merge_start_again(post: Post) -> None:
    ada, ade = await post.member(1), await post.member(2)
    await tell(post, changed(ada, language="en"), changed(ade, language="en"))

    async def hear(transaction: Transaction) -> None:
        with pytest.raises(StartAgainError):
            await hearing(happened("tier", ade))(transaction)

    merge = merged_into(ada, ade, version=9)
    await interleave(post.database, lambda merging: project_members(merging, [merge]), hear)
    await post.hear(happened("tier", ade))

    assert {message["member_id"] for message in await post.messages()} == {ada}


async def test_the_same_news_in_two_workers_are_told_once(post: Post) -> None:
    ada = await post.member(1)
    news, more = happened("tier", ada), happened("released", ada)

    await interleave(post.database, hearing(news, more), hearing(more, news))

    assert await send_all(post.sender) == 1
    assert len(await post.rows("select * from news_entries")) == 2


async def test_workers_with_awards_and_news_of_the_same_members_in_opposite_order(post: Post) -> None:
    """Digests and news lock the same rows: all at once, so that no order of two batches is a deadlock."""
    members = sorted(new_id() for _ in range(2))
    await post.earn(*(award(member_id, 90 + number) for number, member_id in enumerate(members)))

    def batch(earns: UUID, changes: UUID) -> Work:
        return hearing(happened("tier", changes), happened("earned", earns))

    await interleave(post.database, batch(*members), batch(*reversed(members)))

    assert len(await post.rows("select * from news_entries")) == 2


async def test_who_is_erased_is_told_nothing_and_nothing_is_kept(post: Post) -> None:
    ada, bo = await post.member(1), await post.member(2)
    await tell(post, changed(ada, language="en"), changed(bo, language="en"))
    await post.hear(happened("tier", ada), happened("tier", bo))
    await tell(post, erased(ada, card(1)))
    await post.hear(happened("expired", ada))
    await send_all(post.sender)

    assert {message["member_id"] for message in await post.messages()} == {bo}
    assert len(await post.rows("select * from news_entries")) == 1
    assert await post.rows("select news_id, news_due_at from recipients where status = 'erased'") == [
        {"news_id": None, "news_due_at": None}
    ]


async def test_told_news_go_with_their_message_when_its_time_is_over(post: Post) -> None:
    ada = await post.member(1)
    await post.hear(happened("tier", ada, at=NOON))
    await send_all(post.sender)
    async with post.database.transaction() as transaction:
        await transaction.raw.execute(SETTLED_MESSAGES.statement, transaction.now + timedelta(seconds=1), 10)

    assert await post.messages() == await post.rows("select * from news_entries") == []
