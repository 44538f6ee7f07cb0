"""Wiring: settings to database, Kafka, routes and workers; nothing else."""

from collections.abc import Collection

from fastapi import APIRouter

from services.accrual.api.adjustment_files import (
    adjustment_file_decisions_router,
    adjustment_file_reports_router,
    adjustment_files_router,
)
from services.accrual.api.adjustments import ADJUSTMENT_PROBLEMS, adjustment_reading_router, adjustments_router
from services.accrual.api.award_events import AWARD_EVENT_PROBLEMS, award_events_router
from services.accrual.api.backtests import BACKTEST_PROBLEMS, backtest_reports_router, backtests_router
from services.accrual.api.lapsed_and_owed import lapsed_and_owed_routers
from services.accrual.api.member_data import member_data_router
from services.accrual.api.member_event_types import (
    MEMBER_EVENT_TYPE_PROBLEMS,
    member_event_type_decisions_router,
    member_event_types_router,
)
from services.accrual.api.member_events import (
    MEMBER_EVENT_PROBLEMS,
    member_event_more_router,
    member_event_reading_router,
    member_events_router,
)
from services.accrual.api.memberships import MEMBERSHIP_PROBLEMS, membership_routers
from services.accrual.api.previews import previews_router
from services.accrual.api.receipt_claims import RECEIPT_CLAIM_PROBLEMS, receipt_claims_router
from services.accrual.api.receipt_moves import RECEIPT_MOVE_PROBLEMS, receipt_moves_routers
from services.accrual.api.receipts import receipts_router
from services.accrual.api.rule_sets import rule_set_routers
from services.accrual.api.tier_problems import TIER_PROBLEMS
from services.accrual.api.tiers import tier_routers
from services.accrual.api.unlinked_returns import UNLINKED_RETURN_PROBLEMS, unlinked_returns_routers
from services.accrual.backtesting import BacktestProcesses
from services.accrual.consumer import (
    CoalitionHandler,
    FraudHandler,
    MemberHandler,
    PurchaseHandler,
    wants_of_coalition,
)
from services.accrual.door import Door
from services.accrual.previewing import Previews
from services.accrual.programme import KnownFunds, PublishedRules
from services.accrual.repository import outcomes, places
from services.accrual.repository.outcomes import ReceiptOutcome
from services.accrual.repository.retention import kept_for_a_time
from services.accrual.settings import AccrualSettings
from services.accrual.timers import Timers
from services.accrual.use_cases.load_facts import KnownTills
from services.accrual.use_cases.read_document import Reading
from services.accrual.waiting import OutcomeWaiter
from shared import ledger
from shared.database import Database
from shared.events.catalogue import COALITION, FRAUD, MEMBERS, PURCHASES
from shared.kafka import ConsumerLimits
from shared.kafka.batch_size import BatchSize
from shared.kafka.producer import EventProducer
from shared.rule_sets.routes import RULE_SET_PROBLEMS
from shared.runtime.context import ServiceContext
from shared.runtime.wiring import Subscription, Wiring
from shared.web.health import Check
from shared.web.principal import TillIdentity
from shared.web.refusals import DomainProblems

DOMAIN_PROBLEMS: DomainProblems = {
    **RULE_SET_PROBLEMS,
    **BACKTEST_PROBLEMS,
    **ADJUSTMENT_PROBLEMS,
    **AWARD_EVENT_PROBLEMS,
    **MEMBER_EVENT_PROBLEMS,
    **MEMBER_EVENT_TYPE_PROBLEMS,
    **RECEIPT_CLAIM_PROBLEMS,
    **RECEIPT_MOVE_PROBLEMS,
    **UNLINKED_RETURN_PROBLEMS,
    **TIER_PROBLEMS,
    **MEMBERSHIP_PROBLEMS,
}


async def build(context: ServiceContext[AccrualSettings]) -> Wiring:
    """Put accrual together for one process."""
    settings, database = context.settings, context.database
    programme = settings.programme
    rules = PublishedRules()
    funds = KnownFunds()
    backtests = BacktestProcesses(database, settings)
    timers = Timers(database, settings, rules, funds, backtests)
    lookups = _Lookups(database)
    producer = EventProducer(context.kafka)
    reading = Reading(
        settings.hashing_keys,
        settings.country,
        settings.qr_token_keys,
        settings.identifier_capabilities,
        programme.content_keys,
    )
    door = Door(
        database=database,
        producer=producer,
        clock=context.clock,
        waiter=OutcomeWaiter(lookups.load_outcomes),
        programme=programme,
        reading=reading,
    )
    batch_size = BatchSize(settings.purchase_batch_max, settings.ledger_hold_ms_max / 1000)
    limits = ConsumerLimits(batch_size=batch_size)
    purchases = PurchaseHandler(database, programme, rules, funds, batch_size)
    return Wiring(
        routers=(
            receipts_router(door, database, rules),
            previews_router(Previews(database, programme, reading, rules, KnownTills()), context.clock),
            *_routers(database, settings, rules),
        ),
        subscriptions=(
            Subscription(PURCHASES, purchases, limits, unknown_types="dead-letter"),
            Subscription(MEMBERS, MemberHandler(database, programme, rules), unknown_types="dead-letter"),
            Subscription(COALITION, CoalitionHandler(database), wants=wants_of_coalition, unknown_types="dead-letter"),
            Subscription(FRAUD, FraudHandler(database), unknown_types="dead-letter"),
        ),
        periodic=timers.periodic(),
        retention=kept_for_a_time(settings.parked_window_days),
        checks=(Check("ledger version", lookups.check_ledger),),
        on_start=(timers.refresh_rules, timers.refresh_funds),
        on_stop=(producer.stop, backtests.stop),
        find_till=lookups.find_till,
        domain_problems=DOMAIN_PROBLEMS,
    )


def _routers(database: Database, settings: AccrualSettings, rules: PublishedRules) -> tuple[APIRouter, ...]:
    """What is served beside the tills' routes."""
    programme = settings.programme
    return (
        *rule_set_routers(database, programme.zone, settings.point_types),
        member_data_router(database),
        adjustments_router(database, programme, settings.adjustment_rules, settings.point_types, rules.tiers),
        adjustment_reading_router(database),
        *lapsed_and_owed_routers(
            database,
            programme,
            settings.adjustment_rules,
            settings.reinstatement_terms,
            settings.point_types,
            rules.tiers,
        ),
        adjustment_files_router(database, programme, settings.adjustment_rules, settings.point_types),
        adjustment_file_decisions_router(database),
        adjustment_file_reports_router(database),
        *tier_routers(database, settings.point_types),
        *membership_routers(database),
        award_events_router(database),
        backtests_router(database, programme),
        backtest_reports_router(database),
        receipt_claims_router(database, programme, settings.claim_terms),
        *receipt_moves_routers(database, settings.move_rules(rules)),
        *unlinked_returns_routers(database),
        member_event_types_router(database),
        member_event_type_decisions_router(database, programme),
        member_events_router(database, programme, rules),
        member_event_more_router(database, programme, rules),
        member_event_reading_router(database, programme, rules),
    )


class _Lookups:
    """What the process looks up for others, each in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def check_ledger(self) -> None:
        async with self._database.transaction() as transaction:
            await ledger.check_version(transaction.raw)

    async def load_outcomes(self, keys: Collection[bytes]) -> dict[bytes, ReceiptOutcome]:
        async with self._database.transaction() as transaction:
            return await outcomes.load_outcomes(transaction, keys)

    async def find_till(self, key_sha256: str) -> TillIdentity | None:
        async with self._database.transaction() as transaction:
            till = await places.find_till_by_key(transaction, key_sha256)
        return TillIdentity(till.partner_id, till.store_id, till.till_id) if till is not None else None
