"""Notifications on a real database, with a mail server and a registry that a test can speak to."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from services.notifications.app import http_client
from services.notifications.consumer import take_points, take_redemptions
from services.notifications.domain.digest import Award
from services.notifications.domain.mail import Sender
from services.notifications.gateways.contacts import Contacts
from services.notifications.gateways.mail_server import MailServer, MailServerAddress
from services.notifications.rendering import Templates
from services.notifications.sender import MessageSender
from services.notifications.use_cases.add_to_digests import add_to_digests
from shared.database import Database
from shared.events.adjustments import (
    AdjustmentData,
    DebtWrittenOff,
    PointsAdjusted,
    PointsReinstated,
    ReinstatementData,
    WriteOffData,
)
from shared.events.balances import Balance
from shared.events.envelope import Event, Frozen
from shared.events.expiry import ExpiredData, ExpiringData, PointsExpired, PointsExpiring
from shared.events.member_events import MemberEventData, MemberEventRecorded, MemberEventRevoked, RevokedMemberEventData
from shared.events.points import (
    AwardData,
    ClawBackData,
    LapseData,
    MoveData,
    PendingData,
    PointsClawedBack,
    PointsEarned,
    PointsExchanged,
    PointsExchangeData,
    PointsLapsed,
    PointsPending,
    PointsReleased,
    ReceiptMoved,
    ReleaseData,
)
from shared.events.redemptions import RedemptionRefunded, RefundData
from shared.events.tiers import TierChanged, TierData
from shared.ids import new_id
from shared.one_time_codes import CodeKeys
from shared.point_types import ONE_TYPE
from shared.receipt_key import DocumentKey, encode_receipt_key, receipt_id_of
from shared.web.access_tokens import AccessToken
from tests.support.mail_host import MailHost
from tests.support.registry_host import RegistryHost

SENDER = Sender("Tessera", "programme@tessera.invalid")
NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
TEMPLATES = Templates()


def award(member_id: UUID, number: int, *, points: int = 10, partner_id: str = "grocer") -> Award:
    """What receipt ``number`` earned."""
    key = encode_receipt_key(partner_id, DocumentKey(scheme="document", source="orders", number=str(number)))
    return Award(key, member_id, partner_id, points, 0, NOON, None)


_BALANCE = Balance(available=0, held=0, pending=0, debt=0)
RECEIPT = receipt_id_of(encode_receipt_key("grocer", DocumentKey(scheme="document", source="orders", number="1")))
_POINTS = {"point_type": "points", "points": 10, "balance": _BALANCE}
_OF_RECEIPT = {"receipt_id": RECEIPT, "partner_id": "grocer"}
_OF_EXCHANGE = _OF_RECEIPT | {"point_type": "points", "balance": _BALANCE, "cause": "exchange"}
_OF_EVENT = {"event_id": UUID(int=9), "type_code": "survey"}
# Events by a short name: what they say unless a test says otherwise.
_HAPPENINGS: dict[str, tuple[type[Event], type[Frozen], dict[str, Any]]] = {
    "earned": (
        PointsEarned,
        AwardData,
        _POINTS | _OF_RECEIPT | {"by_rule": (), "rule_set_version": 1, "occurred_at": NOON},
    ),
    "tier": (
        TierChanged,
        TierData,
        {
            "version": 1,
            "old_tier": "basic",
            "new_tier": "gold",
            "reason": "qualified",
            "effective_at": NOON,
            "scheme_version": 1,
        },
    ),
    "expiring": (
        PointsExpiring,
        ExpiringData,
        {"point_type": "points", "points": 10, "expires_on": date(2026, 12, 1), "days": 30},
    ),
    "expired": (PointsExpired, ExpiredData, _POINTS | {"expires_on": date(2026, 11, 1), "by_issuer": ()}),
    "lapsed": (PointsLapsed, LapseData, _POINTS | _OF_RECEIPT | {"waited_for": "delivery", "part": 0}),
    "pending": (PointsPending, PendingData, _POINTS | {"receipt_id": RECEIPT, "reason": "INS_SWIPE"}),
    "released": (PointsReleased, ReleaseData, _POINTS | {"receipt_id": RECEIPT, "reason": "waited"}),
    "adjusted": (
        PointsAdjusted,
        AdjustmentData,
        _POINTS | {"adjustment_id": UUID(int=8), "reason_code": "complaint", "kind": "compensation"},
    ),
    "reinstated": (
        PointsReinstated,
        ReinstatementData,
        _POINTS | {"adjustment_id": UUID(int=8), "reason_code": "mistake", "kind": "correction", "by_issuer": ()},
    ),
    "written_off": (
        DebtWrittenOff,
        WriteOffData,
        _POINTS | {"adjustment_id": UUID(int=8), "reason_code": "mistake", "kind": "correction", "by_issuer": ()},
    ),
    "clawed_back": (
        PointsClawedBack,
        ClawBackData,
        _POINTS | _OF_RECEIPT | {"original_receipt_id": RECEIPT, "became_debt": 10},
    ),
    "exchanged": (PointsExchanged, PointsExchangeData, _OF_EXCHANGE),
    "refunded": (
        RedemptionRefunded,
        RefundData,
        _POINTS
        | {
            "redemption_id": UUID(int=5),
            "receipt_id": RECEIPT,
            "undone_by": RECEIPT,
            "cause": "void",
            "partner_id": "grocer",
            "captured_at": NOON,
        },
    ),
    "moved": (
        ReceiptMoved,
        MoveData,
        _POINTS
        | _OF_RECEIPT
        | {
            "other_member_id": UUID(int=7),
            "direction": "to",
            "move_id": UUID(int=6),
            "reason_code": "wrong_card",
            "rule_set_version": 1,
            "occurred_at": NOON,
        },
    ),
    "recorded": (
        MemberEventRecorded,
        MemberEventData,
        _POINTS | _OF_EVENT | {"type_version": 1, "occurred_at": NOON},
    ),
    "revoked": (
        MemberEventRevoked,
        RevokedMemberEventData,
        _POINTS | _OF_EVENT | {"reason_code": "mistake", "became_debt": 0},
    ),
}


def happened(kind: str, member_id: UUID, at: datetime = NOON, **said: Any) -> Any:
    """Something that happened to a member's points or tier, as an event."""
    event, data, usual = _HAPPENINGS[kind]
    return event.model_validate(
        {
            "id": new_id(),
            "source": "accrual",
            "subject": str(member_id),
            "time": at,
            "data": data.model_validate({"member_id": member_id} | usual | said),
        }
    )


@dataclass
class Post:
    """A sender with everything around it."""

    database: Database
    sender: MessageSender
    mail: MailHost
    registry: RegistryHost
    mail_server: MailServer

    async def earn(self, *awards: Award, delay: timedelta = timedelta(0)) -> int:
        """Awards come in, in one transaction."""
        async with self.database.transaction() as transaction:
            return await add_to_digests(transaction, awards, delay)

    async def hear(self, *events: Any, delay: timedelta = timedelta(0)) -> None:
        """One batch of the topic of points, in one transaction. Digests are due at once."""
        async with self.database.transaction() as transaction:
            await take_points(timedelta(0), delay, ONE_TYPE)(transaction, events)

    async def hear_refunds(self, *events: Any, delay: timedelta = timedelta(0)) -> None:
        """One batch of the topic of redemptions."""
        async with self.database.transaction() as transaction:
            await take_redemptions(delay, ONE_TYPE)(transaction, events)

    async def member(self, number: int, **known: Any) -> UUID:
        """A new member whom the registry knows."""
        member_id = new_id()
        self.registry.know(member_id, f"member{number}@example.com", **known)
        return member_id

    async def rows(self, statement: str, *values: object) -> list[dict[str, Any]]:
        """What the database says."""
        async with self.database.transaction() as transaction:
            return [dict(row) for row in await transaction.raw.fetch(statement, *values)]

    async def messages(self) -> list[dict[str, Any]]:
        """All messages, oldest first."""
        return await self.rows("select * from messages order by message_id")

    async def states(self) -> list[str]:
        """The states of all messages, oldest first."""
        return [message["state"] for message in await self.messages()]

    async def told(self) -> list[dict[str, Any]]:
        """The events in the outbox."""
        return [orjson.loads(row["body"]) for row in await self.rows("select body from outbox order by id")]

    async def make_due(self) -> None:
        """Every queued message may be tried now."""
        await self.rows("update messages set next_attempt_at = now() where next_attempt_at is not null")


@asynccontextmanager
async def post_office(
    database: Database, *, connections_max: int = 4, code_keys: CodeKeys | None = None
) -> AsyncIterator[Post]:
    """Notifications' sender, between a registry and a mail server."""
    mail, registry = MailHost(), RegistryHost()
    async with mail.listening(), registry.listening(), http_client(16) as client:
        mail_server = MailServer(
            MailServerAddress("127.0.0.1", mail.port, start_tls="never"), connections_max=connections_max
        )
        yield Post(database, sender_of(database, mail_server, registry, client, code_keys), mail, registry, mail_server)
        await mail_server.close()


def sender_of(
    database: Database,
    mail_server: MailServer,
    registry: RegistryHost,
    client: Any,
    code_keys: CodeKeys | None = None,
) -> MessageSender:
    """One more sender on the same parts."""
    token = AccessToken(client, f"{registry.url}/oauth/token", "notifications", "a secret")
    return MessageSender(
        database=database,
        contacts=Contacts(client, registry.url, token),
        mail_server=mail_server,
        templates=TEMPLATES,
        sender=SENDER,
        code_keys=code_keys,
    )


async def send_all(sender: MessageSender) -> int:
    """Pass after pass until nothing is due; how many were tried. A pass ends by time, so one may not be enough."""
    tried = 0
    while sent := await sender.send_due():
        tried += sent
    return tried


def reasons(messages: Sequence[dict[str, Any]]) -> list[tuple[str, str | None]]:
    """State and reason of each."""
    return [(message["state"], message["reason"]) for message in messages]
