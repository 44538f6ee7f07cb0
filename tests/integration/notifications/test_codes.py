"""A member who is to confirm that points may leave is sent a code: once, at once, in time or not at all."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.notifications.consumer import take_members, take_redemptions, wants_redemption
from shared.database import Database
from shared.events.redemptions import ChallengeData, SpendChallenged
from shared.ids import new_id
from shared.one_time_codes import CodeKeys
from shared.point_types import ONE_TYPE
from tests.support.logged import logged
from tests.support.member_events import erased
from tests.support.notifications import NOON, Post, award, post_office, reasons

KEYS = CodeKeys.parse("1:" + "5a" * 32)


@pytest.fixture
async def post(database_of: Callable[[str], Database]) -> AsyncIterator[Post]:
    async with post_office(database_of("notifications"), code_keys=KEYS) as office:
        yield office


async def challenged(post: Post, member_id: UUID, *, minutes: int = 5, **others: Any) -> SpendChallenged:
    async with post.database.transaction() as transaction:
        expires_at: datetime = transaction.now + timedelta(minutes=minutes)
    said: dict[str, Any] = {
        "challenge_id": new_id(),
        "member_id": member_id,
        "kind": "hold",
        "partner_id": "grocer",
        "point_type": "points",
        "points": 1_500,
        "key_id": "1",
        "expires_at": expires_at,
    }
    data = ChallengeData.model_validate(said | others)
    return SpendChallenged(id=new_id(), source="redemption", subject=str(data.challenge_id), time=NOON, data=data)


async def hear(post: Post, *events: SpendChallenged) -> None:
    async with post.database.transaction() as transaction:
        await take_redemptions(timedelta(0), ONE_TYPE)(transaction, events)


async def test_a_code_is_mailed_once_before_all_that_waits_and_kept_nowhere(post: Post) -> None:
    ada, bo = await post.member(1), await post.member(2, language="es")
    await post.earn(award(bo, 1))
    asked = await challenged(post, ada)
    code = KEYS.code_of(asked.data.challenge_id, "1")

    with logged(service="notifications", role="both", level="debug") as logs:
        await hear(post, asked, asked)
        await hear(post, asked, await challenged(post, bo, kind="gift", partner_id=None))
        async with post.database.transaction() as transaction:
            queued = await transaction.raw.fetch("select template from messages order by next_attempt_at")
        assert [row["template"] for row in queued[:2]] == ["spend_code"] * 2
        await post.sender.send_due()

    (mail,) = (mail for mail in post.mail.parsed() if mail["To"] == "member1@example.com")
    assert mail["Subject"] == "Your code for 1,500 points"
    text = mail.get_payload(0).get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert f"Your code: {code}\r\n" in text
    assert "spent at grocer" in text
    assert sorted(post.mail.recipients) == ["member1@example.com", "member2@example.com", "member2@example.com"]
    for table in ("messages", "code_messages", "outbox"):
        rows = await post.rows(f"select row_to_json(kept)::text as text from {table} as kept")
        assert rows
        assert not [row for row in rows if code in row["text"] or code.encode().hex() in row["text"]], table
    # What the test's own mail server logs is not ours.
    ours = [line for line in logs.getvalue().splitlines() if '"logger":"mail.log"' not in line]
    assert not [line for line in ours if code in line]


async def test_a_code_that_comes_too_late_or_that_nobody_can_make_is_not_sent(post: Post) -> None:
    ada = await post.member(1)
    await hear(post, await challenged(post, ada, minutes=0), await challenged(post, ada, key_id="gone"))

    await post.sender.send_due()

    assert post.mail.mails == []
    late, unknown = await post.messages()
    assert reasons([late]) == [("suppressed", "code_expired")]
    assert (unknown["state"], unknown["deferrals"]) == ("queued", 1)  # tried again until it has expired, too


async def test_who_is_erased_is_sent_none(post: Post) -> None:
    ada, bo = await post.member(1), await post.member(2)
    await hear(post, await challenged(post, ada))
    async with post.database.transaction() as transaction:
        await take_members(transaction, [erased(ada), erased(bo)])
    await hear(post, await challenged(post, bo))

    assert await post.messages() == []
    assert await post.rows("select * from code_messages") == []


def test_of_redemptions_only_challenges_and_refunds_are_decoded() -> None:
    told = [b"loyalty.spend.challenged.v1", b"loyalty.redemption.refunded.v1", b"loyalty.redemption.held.v1"]
    assert [wants_redemption({"type": kind}) for kind in told] == [True, True, False]
