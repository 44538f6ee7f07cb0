"""Due messages become mail: once, or never without saying why."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest

from services.notifications.app import http_client
from services.notifications.domain.delivery import DEFERRALS_MAX, Accepted, Refused
from services.notifications.domain.mail import compose
from services.notifications.gateways.mail_server import MailServer, MailServerAddress
from services.notifications.use_cases.claim_due_messages import claim_due_messages
from services.notifications.use_cases.record_outcomes import Attempt, record_outcomes
from shared.database import Database
from shared.ids import new_id
from tests.support.mail_host import HANG_UP
from tests.support.notifications import SENDER, TEMPLATES, Post, award, post_office, reasons, send_all, sender_of

SENT = "loyalty.message.sent.v1"
FAILED = "loyalty.message.failed.v1"
SUPPRESSED = "loyalty.message.suppressed.v1"


@pytest.fixture
async def post(database_of: Callable[[str], Database]) -> AsyncIterator[Post]:
    async with post_office(database_of("notifications")) as office:
        yield office


async def test_a_due_digest_reaches_the_member_once(post: Post) -> None:
    ada = await post.member(1, language="es")
    await post.earn(award(ada, 1, points=30), award(ada, 2, points=12, partner_id="fuel"))

    assert await post.sender.send_due() == 1
    assert await post.sender.send_due() == 0

    (mail,) = post.mail.parsed()
    (message,) = await post.messages()
    assert mail["To"] == "member1@example.com"
    assert mail["Subject"] == "Ha ganado 42 puntos"
    assert mail["Message-ID"] == f"<{message['message_id']}@tessera.invalid>"
    assert (message["state"], message["attempts"], message["deferrals"]) == ("sent", 1, 0)
    (event,) = await post.told()
    assert event["type"] == SENT
    assert event["data"] == {
        "message_id": str(message["message_id"]),
        "member_id": str(ada),
        "template": "points_digest",
        "channel": "email",
    }


async def test_many_members_in_pages_over_few_connections(post: Post) -> None:
    members = [await post.member(number) for number in range(250)]
    await post.earn(*(award(member_id, number) for number, member_id in enumerate(members)))

    assert await send_all(post.sender) == 250

    assert sorted(post.mail.recipients) == sorted(f"member{number}@example.com" for number in range(250))
    assert set(await post.states()) == {"sent"}
    assert len(await post.told()) == 250
    assert len(post.mail.sessions) <= 4
    assert post.registry.tokens_given == 1


async def test_two_senders_side_by_side_share_the_work(post: Post) -> None:
    members = [await post.member(number) for number in range(150)]
    await post.earn(*(award(member_id, number) for number, member_id in enumerate(members)))

    async with http_client(16) as client:
        other = sender_of(post.database, post.mail_server, post.registry, client)
        tried = await asyncio.gather(send_all(post.sender), send_all(other))

    assert sum(tried) == 150
    assert len(post.mail.mails) == len(set(post.mail.recipients)) == 150


async def test_no_address_stays_behind(post: Post) -> None:
    ada, bo = await post.member(1), await post.member(2)
    post.mail.rcpt_replies["member2@example.com"].append("550 5.1.1 <member2@example.com> does not exist")
    await post.earn(award(ada, 1), award(bo, 2))

    await post.sender.send_due()

    tables = await post.rows(
        "select relname from pg_class where relnamespace = 'notifications'::regnamespace and relkind = 'r'"
    )
    assert len(tables) >= 7
    for table in tables:
        for row in await post.rows(f"select * from {table['relname']}"):
            assert "example.com" not in str(row), table["relname"]
    assert "example.com" not in str(await post.told())


async def test_a_refused_recipient_fails_and_harms_nobody_else(post: Post) -> None:
    members = [await post.member(number) for number in range(10)]
    post.mail.rcpt_replies["member4@example.com"].append("550 5.1.1 no such user")
    post.mail.data_replies["member5@example.com"].append("554 5.7.1 spam")
    await post.earn(*(award(member_id, number) for number, member_id in enumerate(members)))

    await post.sender.send_due()

    found = reasons(await post.messages())
    assert found.count(("sent", None)) == 8
    assert sorted(entry for entry in found if entry[0] == "failed") == [
        ("failed", "message_refused"),
        ("failed", "recipient_refused"),
    ]
    told = await post.told()
    assert sorted((event["type"], event["data"].get("reason")) for event in told if event["type"] != SENT) == [
        (FAILED, "message_refused"),
        (FAILED, "recipient_refused"),
    ]


async def test_a_deferred_message_is_tried_again_later(post: Post) -> None:
    ada = await post.member(1)
    post.mail.rcpt_replies["member1@example.com"].append("450 4.2.0 greylisted")
    await post.earn(award(ada, 1))

    await post.sender.send_due()
    (message,) = await post.messages()
    assert (message["state"], message["deferrals"], message["reply_code"]) == ("queued", 1, 450)
    assert await post.sender.send_due() == 0  # not before its time
    await post.make_due()
    await post.sender.send_due()

    assert await post.states() == ["sent"]
    assert len(post.mail.mails) == 1


async def test_a_message_that_is_always_deferred_ends_at_a_bound(post: Post) -> None:
    ada = await post.member(1)
    post.mail.rcpt_replies["member1@example.com"].extend(["450 not now"] * 50)
    await post.earn(award(ada, 1))

    for _ in range(DEFERRALS_MAX + 1):
        await post.make_due()
        await post.sender.send_due()

    assert reasons(await post.messages()) == [("failed", "deferred_too_often")]
    assert [event["data"]["reason"] for event in await post.told()] == ["deferred_too_often"]


async def test_nobody_to_write_to_suppresses(post: Post) -> None:
    closed = await post.member(1, status="closed")
    nameless = new_id()
    post.registry.know(nameless, None)
    odd = new_id()
    post.registry.know(odd, "приве́т@example.com")
    stranger = new_id()
    await post.earn(*(award(member_id, number) for number, member_id in enumerate((closed, nameless, odd, stranger))))

    await post.sender.send_due()

    told = {event["data"]["member_id"]: (event["type"], event["data"]["reason"]) for event in await post.told()}
    assert told == {
        str(closed): (SUPPRESSED, "member_closed"),
        str(nameless): (SUPPRESSED, "no_address"),
        str(odd): (SUPPRESSED, "address_unsupported"),
        str(stranger): (SUPPRESSED, "member_unknown"),
    }
    assert post.mail.mails == []


async def test_while_the_mail_server_is_away_nothing_is_claimed(database_of: Callable[[str], Database]) -> None:
    async with post_office(database_of("notifications")) as post:
        ada = await post.member(1)
        await post.earn(award(ada, 1))
        nowhere = MailServer(MailServerAddress("127.0.0.1", 1, start_tls="never"))
        async with http_client(4) as client:
            sender = sender_of(post.database, nowhere, post.registry, client)
            assert await sender.send_due() == 1  # the outage itself
            assert await sender.send_due() == 0  # it pauses

        (message,) = await post.messages()
        assert (message["state"], message["attempts"]) == ("collecting", 0)
        await post.sender.send_due()
        assert await post.states() == ["sent"]


async def test_while_the_registry_is_away_messages_wait_unharmed(post: Post) -> None:
    ada = await post.member(1)
    await post.earn(award(ada, 1))
    post.registry.status = 503

    await post.sender.send_due()

    (message,) = await post.messages()
    assert (message["state"], message["deferrals"]) == ("queued", 0)
    post.registry.status = 200
    await post.make_due()
    async with http_client(4) as client:  # the first one pauses
        await sender_of(post.database, post.mail_server, post.registry, client).send_due()
    assert await post.states() == ["sent"]


async def test_a_refused_sender_address_is_our_fault_and_ends_no_message(post: Post) -> None:
    ada = await post.member(1)
    await post.earn(award(ada, 1))
    post.mail.sender_replies.append("550 5.7.1 not allowed to send as this")

    await post.sender.send_due()

    (message,) = await post.messages()
    assert (message["state"], message["deferrals"]) == ("queued", 0)


async def test_a_connection_that_was_closed_meanwhile_is_replaced(post: Post) -> None:
    ada, bo = await post.member(1), await post.member(2)
    await post.earn(award(ada, 1))
    await post.sender.send_due()
    post.mail.hang_up()
    await post.earn(award(bo, 2))

    await post.sender.send_due()

    assert await post.states() == ["sent", "sent"]
    assert {message["deferrals"] for message in await post.messages()} == {0}


async def test_a_connection_lost_after_the_last_byte_may_send_twice_under_one_id(post: Post) -> None:
    ada = await post.member(1)
    post.mail.data_replies["member1@example.com"].append(HANG_UP)
    await post.earn(award(ada, 1))

    await post.sender.send_due()
    (message,) = await post.messages()
    assert (message["state"], message["deferrals"]) == ("queued", 1)
    await post.make_due()
    await post.sender.send_due()

    first, second = post.mail.parsed()
    assert first["Message-ID"] == second["Message-ID"]
    assert await post.states() == ["sent"]
    assert len(await post.told()) == 1


async def test_a_crash_between_accepted_and_commit_sends_again_under_the_same_id(post: Post) -> None:
    ada = await post.member(1)
    await post.earn(award(ada, 1))
    async with post.database.transaction() as transaction:
        (due,) = await claim_due_messages(transaction, 10, timedelta(minutes=5))
    text = TEMPLATES.render_digest("points_digest", 1, "en", "Ada", due.digest)
    mail = compose(text, SENDER, "member1@example.com", due.message.message_id, due.claimed_at)
    accepted = await post.mail_server.send(SENDER.address, "member1@example.com", mail, start_by_seconds=float("inf"))
    assert accepted == Accepted()

    # The process dies here. Its lease keeps others away; when it ends, the message is taken up again.
    assert await post.sender.send_due() == 0
    await post.make_due()
    assert await post.sender.send_due() == 1

    first, second = post.mail.parsed()
    assert first["Message-ID"] == second["Message-ID"]
    (message,) = await post.messages()
    assert (message["state"], message["attempts"], message["deferrals"]) == ("sent", 2, 1)
    assert [event["type"] for event in await post.told()] == [SENT]


async def test_a_message_whose_lease_ran_out_too_often_is_given_up(post: Post) -> None:
    ada = await post.member(1)
    await post.earn(award(ada, 1))
    for _ in range(DEFERRALS_MAX + 2):
        async with post.database.transaction() as transaction:
            assert len(await claim_due_messages(transaction, 10, timedelta(minutes=5))) == 1
        await post.make_due()

    await post.sender.send_due()

    assert reasons(await post.messages()) == [("failed", "interrupted_too_often")]
    assert post.mail.mails == []


async def test_accepted_wins_and_ends_a_message_once(post: Post) -> None:
    ada = await post.member(1)
    await post.earn(award(ada, 1))
    async with post.database.transaction() as transaction:
        (slow,) = await claim_due_messages(transaction, 10, timedelta(minutes=5))
    await post.make_due()
    async with post.database.transaction() as transaction:
        (quick,) = await claim_due_messages(transaction, 10, timedelta(minutes=5))

    async with post.database.transaction() as transaction:  # an older attempt's refusal has nothing to say any more
        refused = Attempt(slow.message, Refused("recipient_refused", 550))
        assert await record_outcomes(transaction, [refused]) == []
    async with post.database.transaction() as transaction:  # but its success has: the mail is out
        assert len(await record_outcomes(transaction, [Attempt(slow.message, Accepted())])) == 1
    async with post.database.transaction() as transaction:
        assert await record_outcomes(transaction, [Attempt(quick.message, Accepted())]) == []

    assert await post.states() == ["sent"]
    assert [event["type"] for event in await post.told()] == [SENT]


async def test_a_pass_that_is_cut_off_writes_down_what_was_sent(post: Post) -> None:
    members = [await post.member(number) for number in range(50)]
    await post.earn(*(award(member_id, number) for number, member_id in enumerate(members)))

    passing = asyncio.create_task(post.sender.send_due())
    async with asyncio.timeout(20):
        await post.mail.accepted.wait()
    passing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await passing
    await post.make_due()
    async with http_client(4) as client:
        await send_all(sender_of(post.database, post.mail_server, post.registry, client))

    # Whoever was in the middle of a conversation may have got it twice: one for each connection at most.
    assert set(post.mail.recipients) == {f"member{number}@example.com" for number in range(50)}
    assert len(post.mail.mails) <= 50 + 4
    assert set(await post.states()) == {"sent"}
    assert len(await post.told()) == 50


async def test_a_withdrawn_token_is_replaced_at_once(post: Post) -> None:
    ada, bo = await post.member(1), await post.member(2)
    await post.earn(award(ada, 1))
    await post.sender.send_due()
    post.registry.refused_tokens.add("token-1")
    await post.earn(award(bo, 2))

    await post.sender.send_due()

    assert await post.states() == ["sent", "sent"]
    assert post.registry.tokens_given == 2
