"""A member whose PIN was set, changed, reset or locked is told so: once a change, at once, in the member's language."""

from collections.abc import AsyncIterator, Callable
from typing import Any, Literal
from uuid import UUID

import pytest

from services.notifications.consumer import take_members
from shared.database import Database
from shared.events.members import MembersMerged, MergeData, PinChanged, PinData
from shared.ids import new_id
from tests.support.member_events import erased
from tests.support.notifications import NOON, Post, award, post_office


@pytest.fixture
async def post(database_of: Callable[[str], Database]) -> AsyncIterator[Post]:
    async with post_office(database_of("notifications")) as office:
        yield office


def changed(member_id: UUID, change: Literal["set", "changed", "reset", "locked"], version: int = 1) -> PinChanged:
    data = PinData(member_id=member_id, version=version, change=change)
    return PinChanged(id=new_id(), source="members", subject=str(member_id), time=NOON, data=data)


async def hear(post: Post, *events: Any) -> None:
    async with post.database.transaction() as transaction:
        await take_members(transaction, events)


async def test_each_change_is_one_mail_however_often_it_is_heard(post: Post) -> None:
    ada, bo = await post.member(1), await post.member(2, language="es")
    first, again = changed(ada, "set"), changed(ada, "reset", 2)
    await hear(post, first, again, first)
    await hear(post, again, first, changed(bo, "locked"), changed(bo, "changed", 2))
    await post.sender.send_due()

    subjects = [(mail["To"], mail["Subject"]) for mail in post.mail.parsed()]
    assert sorted(subjects) == [
        ("member1@example.com", "A PIN was set for your points"),
        ("member1@example.com", "The PIN for your points was taken away"),
        ("member2@example.com", "El PIN de sus puntos está bloqueado"),
        ("member2@example.com", "Se ha cambiado el PIN de sus puntos"),
    ]
    assert {row["template"] for row in await post.messages()} == {"pin_notice"}


async def test_the_survivor_is_told_and_who_is_erased_is_not(post: Post) -> None:
    ada, old, bo = [await post.member(number) for number in (1, 2, 3)]
    merge = MergeData(member_id=ada, version=2, merged_member_id=old, merged_version=2)
    await hear(post, MembersMerged(id=new_id(), source="members", subject=str(ada), time=NOON, data=merge))
    await hear(post, changed(old, "reset"), changed(bo, "set"))
    await hear(post, erased(bo), changed(bo, "locked", 2))
    await post.sender.send_due()

    assert post.mail.recipients == ["member1@example.com"]
    assert len(await post.rows("select * from pin_notices")) == 1


async def test_what_is_due_beside_it_says_what_it_says(post: Post) -> None:
    ada = await post.member(1)
    await post.earn(award(ada, 1))
    await hear(post, changed(ada, "set"))
    await post.sender.send_due()

    assert sorted(mail["Subject"] for mail in post.mail.parsed()) == [
        "A PIN was set for your points",
        "You earned 10 points",
    ]
