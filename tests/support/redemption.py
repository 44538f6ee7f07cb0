"""Redemption on a real database, without a broker: events go in by hand, the outbox is read by hand."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias, TypeVar
from uuid import UUID

import asyncpg

from services.redemption.domain.hold_wish import HoldWish
from services.redemption.domain.holding import FreshFacts, Paid
from services.redemption.domain.redemption import Redemption
from services.redemption.domain.tender import PointsTender, Pricing, points_tenders
from services.redemption.domain.voiding import ReceiptVoid
from services.redemption.programme import Programme
from services.redemption.repository import redemptions
from services.redemption.repository.receipts import Refusal
from services.redemption.repository.recorded_exceptions import ExceptionKind
from services.redemption.use_cases.capture_hold import Captured
from services.redemption.use_cases.expire_holds import expire_holds
from services.redemption.use_cases.hold_points import Declined, Held, Spender, hold_points
from services.redemption.use_cases.hold_together import HoldAsked, hold_together
from services.redemption.use_cases.project import project_coalition, project_members, take_in_members
from services.redemption.use_cases.settle_tenders import TenderReport, settle_tenders
from services.redemption.use_cases.undo_refused import undo_refused
from services.redemption.use_cases.void_hold import Voided, void_hold
from services.redemption.use_cases.void_receipts import void_receipts
from shared import ledger
from shared.database import Database, Transaction
from shared.events.catalogue import REDEMPTIONS
from shared.events.coalition import CoalitionEvent, PartnerChanged, PartnerData
from shared.events.members import (
    IdentifierData,
    IdentifierLinked,
    MemberData,
    MemberEnrolled,
    MemberEvent,
    MemberStatus,
)
from shared.events.purchases import PurchaseRecorded, Tender
from shared.events.redemptions import PrivilegeUndone, PrivilegeUsed, RedemptionEvent
from shared.ids import IdentifierKey, IdentifierKeys, new_id
from shared.ledger import Balances, Earn, LotTerms, load_balances
from shared.receipt_key import SequenceKey, encode_receipt_key, natural_key_of
from shared.web import Left, Principal
from tests.support.receipts import purchase
from tests.support.shared_captures import capture_in
from tests.support.until import until

GROCER = Principal("client-grocer", "grocer", frozenset({"redemptions:write", "redemptions:read", "balances:read"}))
FUEL = Principal("client-fuel", "fuel", GROCER.scopes)
PROGRAMME_CLIENT = Principal("client-programme", None, GROCER.scopes)
KEY = IdentifierKey(1, bytes(range(32)))
PROGRAMME = Programme(
    point_type="points",
    pricing=Pricing("USD", 1),
    country="US",
    identifier_keys=IdentifierKeys(KEY),
    fresh_facts=FreshFacts(points_max=5_000),
    topic_partitions=4,
    zone=UTC,
)
NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
BLOCKED_SECONDS_MAX = 60.0

T = TypeVar("T")
Admin: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_IS_BLOCKED = """
    select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')
"""


@dataclass(frozen=True)
class Spending:
    """One process's view of one database."""

    database: Database

    async def do(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Work in a transaction of its own, as the edge does it."""
        return await self.database.run(work)

    async def enrol(self, member_id: UUID, points: int = 0, status: MemberStatus = "active", version: int = 1) -> None:
        """Have a member known, with points to spend."""

        async def work(transaction: Transaction) -> None:
            await project_members(transaction, [enrolled(member_id, status, version)])
            if points:
                await ledger.post(transaction, [earn(member_id, points)])

        await self.do(work)

    async def members(self, *events: MemberEvent) -> None:
        """Project members' events."""
        await self.do(lambda transaction: take_in_members(transaction, events, PROGRAMME.point_types.spent_codes))

    async def coalition(self, *events: CoalitionEvent) -> None:
        """Project the coalition's events."""
        await self.do(lambda transaction: project_coalition(transaction, events))

    async def hold(
        self,
        member_id: UUID | None,
        points: int,
        *,
        redemption_id: UUID | None = None,
        partner_id: str = "grocer",
        identifier_hash: str | None = None,
        seconds: int = 900,
    ) -> Held | Declined | Paid:
        """Reserve points."""
        return await self.do(
            lambda transaction: hold_in(
                transaction,
                Spender(member_id, () if identifier_hash is None else (identifier_hash,)),
                points,
                redemption_id=redemption_id,
                partner_id=partner_id,
                seconds=seconds,
            )
        )

    async def held(self, member_id: UUID, points: int, *, seconds: int = 900) -> Redemption:
        """Reserve points that are there."""
        outcome = await self.hold(member_id, points, seconds=seconds)
        assert isinstance(outcome, Held)
        return outcome.redemption

    async def capture(
        self,
        redemption_id: UUID,
        number: int = 1,
        points: int | None = None,
        *,
        more: bool = False,
        viewer: Principal = GROCER,
    ) -> Captured:
        """Take reserved points over HTTP, for the receipt of this number."""
        return await self.do(
            lambda transaction: capture_in(transaction, viewer, redemption_id, till_receipt(number), points, more=more)
        )

    async def void(self, redemption_id: UUID, *, viewer: Principal = GROCER) -> Voided:
        """Let reserved points go."""
        return await self.do(lambda transaction: void_hold(transaction, viewer, redemption_id, "points"))

    async def settle(self, *tenders: PointsTender) -> TenderReport:
        """One batch of tenders."""
        return await self.do(lambda transaction: settle_tenders(transaction, tenders, PROGRAMME.pricing))

    async def refuse(self, *tenders: PointsTender) -> list[ExceptionKind]:
        """Accrual refused the documents of these tenders."""
        refusals = [Refusal(tender.receipt_key, tender.content_hash) for tender in tenders]
        return await self.do(lambda transaction: undo_refused(transaction, refusals))

    async def void_receipts(self, *voids: ReceiptVoid) -> int:
        """A till voided these receipts; gives how many points went back."""
        return await self.do(lambda transaction: void_receipts(transaction, voids))

    async def expire(self, read_to: datetime, rows_max: int = 100) -> int:
        """One page of expiry, purchases having been read to this time."""
        return await self.do(lambda transaction: expire_holds(transaction, read_to, rows_max))

    async def advance(self, admin: Admin, by: timedelta) -> datetime:
        """Move business time; gives the new one."""
        await admin.execute(
            "insert into platform.business_clock (clock_offset) values ($1)"
            " on conflict (singleton) do update set clock_offset = business_clock.clock_offset + $1",
            by,
        )
        return await self.now()

    async def now(self) -> datetime:
        """Business time."""
        async with self.database.transaction() as transaction:
            return transaction.now

    async def redemption(self, redemption_id: UUID) -> Redemption:
        """A redemption as it stands."""
        found = await self.do(lambda transaction: redemptions.find_redemption(transaction, redemption_id))
        assert found is not None
        return found

    async def balance(self, member_id: UUID) -> Balances:
        """The member's balance."""
        return (await self.do(lambda transaction: load_balances(transaction, [member_id], "points")))[member_id]

    async def drain(self) -> list[RedemptionEvent]:
        """Everything in the outbox, in order within each slot; it is gone afterwards."""

        async def work(transaction: Transaction) -> list[RedemptionEvent]:
            rows = await transaction.raw.fetch("select topic, body from outbox order by slot, id")
            await transaction.raw.execute("delete from outbox")
            assert {row["topic"] for row in rows} <= {REDEMPTIONS.topic}
            return [REDEMPTIONS.read(row["body"]) for row in rows]

        return await self.do(work)

    async def kinds(self) -> list[str]:
        """What kinds of events are in the outbox; they are gone afterwards."""
        return [type(event).__name__.removeprefix("Redemption") for event in await self.drain()]

    async def exceptions(self) -> list[tuple[str, int, int]]:
        """Open exceptions: kind, asked, captured."""

        async def work(transaction: Transaction) -> list[tuple[str, int, int]]:
            rows = await transaction.raw.fetch(
                "select kind, asked_points, captured_points from redemption_exceptions where settled_at is null"
                " order by recorded_at, kind"
            )
            return [(row["kind"], row["asked_points"], row["captured_points"]) for row in rows]

        return await self.do(work)

    async def waiting(self) -> int:
        """How many tenders wait."""
        return await self.do(
            lambda transaction: transaction.raw.fetchval("select count(*)::int from redemption_waiting_tenders")
        )

    async def check(self, members: Iterable[UUID], funded: int) -> None:
        """Nothing was lost, doubled or oversold, and redemptions agree with the ledger."""
        for member_id in members:
            async with self.database.transaction() as transaction:
                await _check(transaction, member_id, funded)


def void_of(receipt_key: bytes, number: int = 1, total_minor: int | None = None, contents: int = 0) -> ReceiptVoid:
    """A void of a receipt of the grocer, by the document of this number; ``contents`` tells those of one key apart."""
    void_key = encode_receipt_key("grocer", till_receipt(1_000_000 + number))
    return ReceiptVoid(void_key, f"void {contents}", receipt_key, total_minor)


async def hold_in(
    transaction: Transaction,
    spender: Spender,
    points: int,
    *,
    redemption_id: UUID | None = None,
    partner_id: str = "grocer",
    seconds: int = 900,
) -> Held | Declined | Paid:
    """Reserve points in a transaction that the test commits: as most are, and what that leaves alone as it is alone."""
    wish = HoldWish(partner_id, points, timedelta(seconds=seconds))
    [shared] = await hold_together(transaction, [HoldAsked(spender, wish, redemption_id)], PROGRAMME, waits=True)
    await transaction.write_later()  # the test goes on in this transaction
    if not isinstance(shared, Left):
        return shared
    alone = await hold_points(transaction, spender, wish.request(transaction.now, None), PROGRAMME, redemption_id)
    await transaction.write_later()
    return alone


async def _check(transaction: Transaction, member_id: UUID, funded: int) -> None:
    balance = (await load_balances(transaction, [member_id], "points"))[member_id]
    ours = await transaction.raw.fetchrow(
        """
        select coalesce(sum(open_points), 0)::bigint as open, coalesce(sum(captured_points), 0)::bigint as captured,
            (select coalesce(sum(points), 0)::bigint from redemption_captures join redemptions using (redemption_id)
                where member_id = $1) as by_capture,
            (select coalesce(sum(refunded_points), 0)::bigint from redemption_captures
                join redemptions using (redemption_id) where member_id = $1) as refunded,
            (select coalesce(sum(refund.points), 0)::bigint from redemption_refunds as refund
                join redemptions using (redemption_id) where member_id = $1) as by_refund
        from redemptions where member_id = $1
        """,
        member_id,
    )
    theirs = await transaction.raw.fetchrow(
        """
        select coalesce(sum(case when credit = 'available' then points when debit = 'available' then -points end), 0)
                ::bigint as available,
            coalesce(sum(case when credit = 'held' then points when debit = 'held' then -points end), 0)
                ::bigint as held,
            coalesce(sum(points) filter (where credit = 'redeem'), 0)::bigint as redeemed,
            coalesce(sum(points) filter (where debit = 'redeem'), 0)::bigint as refunded
        from ledger_transfers join ledger_accounts using (account_id) where owner_id = $1
        """,
        member_id,
    )
    assert ours is not None
    assert theirs is not None
    assert balance.available >= 0
    assert (balance.available, balance.held) == (theirs["available"], theirs["held"])
    assert balance.held == ours["open"]
    assert ours["captured"] == ours["by_capture"] == theirs["redeemed"]
    assert ours["refunded"] == ours["by_refund"] == theirs["refunded"]
    assert balance.available + balance.held + theirs["redeemed"] - theirs["refunded"] == funded


def earn(member_id: UUID, points: int, expires_on: date | None = None) -> Earn:
    """Points from the grocer."""
    terms = LotTerms(issuer="grocer", available_from=date(2026, 1, 1), expires_on=expires_on)
    return Earn(owner_id=member_id, point_type="points", reference=new_id().bytes, points=points, terms=terms)


def till_receipt(number: int) -> SequenceKey:
    """The key of the receipt that ``tests.support.receipts.purchase`` gives this number."""
    return SequenceKey(
        scheme="sequence", store_id="s1", till_id="1", business_date=date(2026, 11, 1), shift=1, number=number
    )


def enrolled(member_id: UUID, status: MemberStatus = "active", version: int = 1) -> MemberEnrolled:
    """A member as the registry tells of it."""
    data = MemberData(member_id=member_id, version=version, status=status)
    return MemberEnrolled(id=new_id(), source="test", subject=str(member_id), time=NOON, data=data)


def linked(member_id: UUID, identifier_hash: str, version: int = 1, *, is_blocked: bool = False) -> IdentifierLinked:
    """An identifier as the registry tells of it."""
    data = IdentifierData(
        member_id=member_id,
        identifier_hash=identifier_hash,
        identifier_type="card",
        state="blocked" if is_blocked else "active",
        version=version,
    )
    return IdentifierLinked(id=new_id(), source="test", subject=str(member_id), time=NOON, data=data)


def partner(partner_id: str, name: str, version: int = 1, *, is_suspended: bool = False) -> PartnerChanged:
    """A partner as the coalition tells of it."""
    data = PartnerData(
        partner_id=partner_id, version=version, name=name, state="suspended" if is_suspended else "active"
    )
    return PartnerChanged(id=new_id(), source="test", subject=partner_id, time=NOON, data=data)


def paid_with_points(
    number: int,
    points: int,
    redemption_id: UUID | None,
    *,
    owner: UUID | None = None,
    identifier_hash: str | None = None,
    partner_id: str = "grocer",
    contents: int = 0,
) -> PurchaseRecorded:
    """A receipt that was paid with points alone; ``contents`` tells documents of one key apart."""
    tender = Tender(kind="points", amount_minor=points, redemption_id=redemption_id)
    return purchase(
        number,
        points,
        owner=owner,
        identifier_hash=identifier_hash,
        partner_id=partner_id,
        tenders=(tender,),
        contents=contents,
    )


def tender_of(event: PurchaseRecorded) -> PointsTender:
    """The event's only points tender."""
    (tender,) = points_tenders(event, PROGRAMME.pricing)
    return tender


def receipt_key_of(event: PurchaseRecorded) -> bytes:
    """The event's natural key."""
    return natural_key_of(event.data.receipt_id)


async def be_patient(transaction: Transaction) -> None:
    """For a transaction that a test holds open: a busy machine must not end it."""
    await transaction.raw.execute("set local idle_in_transaction_session_timeout = '120s'")
    await transaction.raw.execute("set local lock_timeout = '120s'")
    await transaction.raw.execute("set local transaction_timeout = '120s'")


async def until_blocked(admin: Admin) -> None:
    """Wait until a connection of this database waits for a lock: then the two sides have met."""

    async def is_blocked() -> bool:
        return bool(await admin.fetchval(_IS_BLOCKED))

    await until(is_blocked, seconds_max=BLOCKED_SECONDS_MAX)


def points_of(events: Sequence[RedemptionEvent]) -> list[int]:
    """The events' points, in their order."""
    return [event.data.points for event in events if not isinstance(event, PrivilegeUsed | PrivilegeUndone)]


@asynccontextmanager
async def held_open(database: Database) -> AsyncIterator[Transaction]:
    """A transaction on a connection of its own that commits when the block ends, as late as the test likes."""
    async with database.transaction() as transaction:
        await be_patient(transaction)
        yield transaction


async def patiently(database: Database, work: Callable[[Transaction], Awaitable[T]]) -> T:
    """Work on a connection of its own that waits for its locks as long as the test likes; tried once."""
    async with held_open(database) as transaction:
        return await work(transaction)
