"""Wiring: settings to database, Kafka, routes and workers; nothing else."""

from datetime import timedelta
from functools import partial

from fastapi import APIRouter

from services.redemption.api.checkouts import checkouts_router
from services.redemption.api.gifts import gifts_router
from services.redemption.api.holds import Holding, holds_router, sharing_holds
from services.redemption.api.households import households_router
from services.redemption.api.member_data import member_data_router
from services.redemption.api.member_privileges import member_privileges_router
from services.redemption.api.members import lookup_router, members_router
from services.redemption.api.pin_check import PinCheck
from services.redemption.api.privilege_checks import privilege_checks_router
from services.redemption.api.privileges import privileges_router
from services.redemption.api.quotes import quotes_router
from services.redemption.api.redemptions import reading_router, settling_router, sharing_captures
from services.redemption.api.refunds import REFUND_PROBLEMS, refunds_router
from services.redemption.api.refusals import DOMAIN_PROBLEMS
from services.redemption.api.return_quotes import return_quotes_router
from services.redemption.api.reward_refusals import REWARD_PROBLEMS
from services.redemption.api.reward_routers import reward_routers
from services.redemption.api.shrinking import shrinking_router
from services.redemption.api.spend_gate import SpendGate
from services.redemption.api.statement_csv import statement_csv_router
from services.redemption.api.tender_exceptions import EXCEPTION_PROBLEMS, tender_exceptions_router
from services.redemption.api.write_off_rules import write_off_rules_routers
from services.redemption.consumer import (
    CoalitionHandler,
    MemberHandler,
    PointsHandler,
    PurchaseHandler,
    concerns_redemption,
    is_refusal_or_tier,
)
from services.redemption.neighbours import Neighbours
from services.redemption.programme import Programme
from services.redemption.repository import places
from services.redemption.repository.retention import (
    BOUGHT_PRIVILEGES,
    CHALLENGES,
    HASHES_OF_WAITING_TENDERS,
    PRIVILEGE_RESERVATIONS,
    QUOTES,
    SOLD_GOODS,
    WAITING_RETURNS,
)
from services.redemption.settings import RedemptionSettings
from services.redemption.timers import EXPIRE_SECONDS, SWEEP_SECONDS, Timers
from services.redemption.unused_quotes import FORGET_SECONDS, UnusedQuotes
from services.redemption.use_cases.capture_together import CaptureAsked
from services.redemption.use_cases.check_out import CheckoutDesk
from services.redemption.use_cases.quote_return import ReturnDesk
from shared import ledger
from shared.database import Database, retired_keys
from shared.database.retired_keys import RetiredHashes
from shared.events.catalogue import COALITION, MEMBERS, POINTS, PURCHASES
from shared.kafka import BatchSize, ConsumerLimits
from shared.runtime import Periodic, ServiceContext, Subscription, Wiring
from shared.web import Check, Sharing, TillIdentity

RULES_REFRESH_SECONDS = 2.0
PRIVILEGES_REFRESH_SECONDS = 2.0


async def build(context: ServiceContext[RedemptionSettings]) -> Wiring:
    """Put redemption together for one process."""
    settings, database = context.settings, context.database
    programme = settings.programme
    lookups = _Lookups(database)
    refresh_rules = partial(database.run, programme.write_off.refresh)
    refresh_privileges = partial(database.run, programme.privileges.refresh)
    neighbours = Neighbours(settings)
    gate = _gate(database, settings, neighbours)
    sharing, captures = sharing_holds(database, programme), sharing_captures(database, programme)
    quote_valid_for = timedelta(seconds=settings.quote_valid_seconds)
    desk = CheckoutDesk(
        database=database,
        programme=programme,
        baskets=neighbours.baskets,
        names=neighbours.names,
        language=settings.receipt_language,
        quote_valid_for=quote_valid_for,
        part_seconds_max=settings.checkout_part_ms_max / 1000,
    )
    returns = ReturnDesk(database, programme, neighbours.returns, settings.checkout_part_ms_max / 1000)
    return Wiring(
        routers=(
            # Tried in order: first what tills ask for all day.
            *_hold_routers(database, programme, gate, sharing, captures),
            checkouts_router(desk),
            quotes_router(database, programme, quote_valid_for),
            members_router(database, programme),
            lookup_router(database, programme),
            statement_csv_router(database, programme),
            households_router(database, programme),
            member_data_router(database, programme),
            *write_off_rules_routers(database),
            tender_exceptions_router(database, programme),
            *_privilege_routers(database, programme, settings),
            gifts_router(database, programme, settings.gift_limits, gate),
            *reward_routers(database, programme, settings.parsed_voucher_keys, settings.reserved_for),
            return_quotes_router(returns),
        ),
        subscriptions=_subscriptions(database, settings, programme),
        periodic=_periodic(context, programme, neighbours),
        retention=(
            HASHES_OF_WAITING_TENDERS,
            QUOTES,
            SOLD_GOODS,
            WAITING_RETURNS,
            PRIVILEGE_RESERVATIONS,
            BOUGHT_PRIVILEGES,
            CHALLENGES,
        ),
        on_start=(refresh_rules, refresh_privileges),
        on_stop=(sharing.close, captures.close, neighbours.close),
        checks=(Check("ledger_version", lookups.check_ledger),),
        find_till=lookups.find_till,
        domain_problems=DOMAIN_PROBLEMS | REWARD_PROBLEMS | REFUND_PROBLEMS | EXCEPTION_PROBLEMS,
    )


def _hold_routers(
    database: Database,
    programme: Programme,
    gate: SpendGate,
    sharing: Sharing[Holding],
    captures: Sharing[CaptureAsked],
) -> tuple[APIRouter, ...]:
    return (
        holds_router(database, programme, gate, sharing),
        reading_router(database, programme),
        settling_router(database, programme, captures),
        shrinking_router(database, programme),
        refunds_router(database, programme),
    )


def _periodic(
    context: ServiceContext[RedemptionSettings], programme: Programme, neighbours: Neighbours
) -> tuple[Periodic, ...]:
    settings, database = context.settings, context.database
    timers = Timers(database, programme)
    refresh_rules = partial(database.run, programme.write_off.refresh)
    refresh_privileges = partial(database.run, programme.privileges.refresh)
    return (
        Periodic("refresh_write_off_rules", RULES_REFRESH_SECONDS, refresh_rules, in_every_role=True),
        Periodic("refresh_privileges", PRIVILEGES_REFRESH_SECONDS, refresh_privileges, in_every_role=True),
        *((neighbours.renewing,) if context.role != "worker" else ()),
        Periodic("expire_holds", EXPIRE_SECONDS, timers.expire),
        Periodic("expire_vouchers", EXPIRE_SECONDS, timers.expire_vouchers),
        Periodic("sweep_waiting_tenders", SWEEP_SECONDS, timers.sweep),
        Periodic("forget_unused_quotes", FORGET_SECONDS, UnusedQuotes(database, settings.quotes_kept_for).forget),
        Periodic(
            "let_retired_hashes_go",
            retired_keys.SWEEP_SECONDS,
            RetiredHashes(database, "redemption_identifiers").let_go,
        ),
    )


def _privilege_routers(database: Database, programme: Programme, settings: RedemptionSettings) -> tuple[APIRouter, ...]:
    return (
        privileges_router(database),
        privilege_checks_router(database, programme, timedelta(seconds=settings.privilege_reserved_seconds)),
        member_privileges_router(database, programme),
    )


def _subscriptions(database: Database, settings: RedemptionSettings, programme: Programme) -> tuple[Subscription, ...]:
    batch_size = BatchSize(settings.tender_batch_max, settings.ledger_hold_ms_max / 1000)
    return (
        Subscription(
            PURCHASES,
            PurchaseHandler(database, programme, batch_size),
            ConsumerLimits(batch_size=batch_size),
            wants=partial(concerns_redemption, programme=programme),
            unknown_types="dead-letter",
        ),
        Subscription(POINTS, PointsHandler(database, programme), wants=is_refusal_or_tier, unknown_types="dead-letter"),
        Subscription(MEMBERS, MemberHandler(database, settings.point_types), unknown_types="dead-letter"),
        Subscription(COALITION, CoalitionHandler(database), unknown_types="dead-letter"),
    )


def _gate(database: Database, settings: RedemptionSettings, neighbours: Neighbours) -> SpendGate:
    return SpendGate(
        database,
        fraud=neighbours.fraud,
        deadline_seconds=settings.fraud_deadline_ms / 1000,
        ceiling=settings.ceiling,
        keys=settings.one_time_code_keys,
        pins=PinCheck(database, neighbours.pins, settings.pin_deadline_ms / 1000),
    )


class _Lookups:
    """What the process asks the database for others."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def check_ledger(self) -> None:
        async with self._database.transaction() as transaction:
            await ledger.check_version(transaction.raw)

    async def find_till(self, key_sha256: str) -> TillIdentity | None:
        async with self._database.transaction() as transaction:
            return await places.find_till(transaction, key_sha256)
