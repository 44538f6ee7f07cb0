"""Wiring: settings to database, Kafka, routes and workers; nothing else."""

from collections.abc import Collection
from datetime import timedelta
from functools import partial

from fastapi import APIRouter

from services.accrual import metrics
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
from services.accrual.programme import KnownFunds, KnownTierSchemes, Programme, PublishedRules
from services.accrual.repository import old_debts, outcomes, places
from services.accrual.repository.outcomes import ReceiptOutcome
from services.accrual.repository.retention import kept_for_a_time
from services.accrual.settings import AccrualSettings
from services.accrual.use_cases.apply_fraud_holds import end_due_holds
from services.accrual.use_cases.celebrate_members import celebrate_due_day
from services.accrual.use_cases.decide_adjustment_files import settle_lines
from services.accrual.use_cases.expire_idle import OWNERS_LOCKED_MAX
from services.accrual.use_cases.grade_due_tiers import grade_due_tiers
from services.accrual.use_cases.load_facts import KnownTills
from services.accrual.use_cases.pass_expiry import HOLD_MS_MAX, PAGE_LOTS_MAX, ExpiryPasses
from services.accrual.use_cases.pass_idle import IdlePasses
from services.accrual.use_cases.pass_notices import NoticePasses
from services.accrual.use_cases.pass_releases import PAGE_PARTS_MAX, ReleasePasses
from services.accrual.use_cases.read_document import Reading
from services.accrual.use_cases.refuse_overdue import OverdueDocuments
from services.accrual.use_cases.release_parked import release_what_funds_decide
from services.accrual.use_cases.sweep_parked import sweep_parked
from services.accrual.waiting import OutcomeWaiter
from services.accrual.watching import watch_unlinked_returns
from shared import ledger
from shared.database import Database, retired_keys
from shared.database.retired_keys import RetiredHashes
from shared.events.catalogue import COALITION, FRAUD, MEMBERS, PURCHASES
from shared.kafka import ConsumerLimits
from shared.kafka.batch_size import BatchSize
from shared.kafka.producer import EventProducer
from shared.rule_sets.routes import RULE_SET_PROBLEMS
from shared.runtime.context import ServiceContext
from shared.runtime.wiring import Periodic, Subscription, Wiring
from shared.web.health import Check
from shared.web.principal import TillIdentity
from shared.web.refusals import DomainProblems

RULES_REFRESH_SECONDS = 2.0
FUNDS_REFRESH_SECONDS = 1.0
HOLDS_END_SECONDS = 1.0
TIERS_GRADE_SECONDS = 1.0
EXPIRY_SECONDS = 1.0
RELEASE_SECONDS = 1.0
NOTICES_SECONDS = 5.0
IDLE_SECONDS = 5.0
SWEEP_SECONDS = 10.0
OVERDUE_SECONDS = 60.0
SEALING_SECONDS = 10.0
ADJUSTMENT_FILES_SECONDS = 1.0
CELEBRATE_SECONDS = 10.0
BACKTESTS_SECONDS = 1.0
OLD_DEBTS_SECONDS = 60.0
UNLINKED_SECONDS = 60.0

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
    jobs = _Jobs(database, rules, funds)
    backtests = BacktestProcesses(database, settings)
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
        waiter=OutcomeWaiter(jobs.load_outcomes),
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
        periodic=(
            Periodic("refresh rule sets", RULES_REFRESH_SECONDS, jobs.refresh_rules, in_every_role=True),
            Periodic("refresh partners' funds", FUNDS_REFRESH_SECONDS, jobs.refresh_funds),
            Periodic("settle what waits for funds", FUNDS_REFRESH_SECONDS, jobs.settle_funds),
            Periodic(
                "post files of adjustments",
                ADJUSTMENT_FILES_SECONDS,
                partial(_post_files, database, settings, rules.tiers),
            ),
            *_ledger_jobs(database, settings, rules),
            Periodic("celebrate members", CELEBRATE_SECONDS, partial(_celebrate, database, programme, rules)),
            Periodic("run backtests", BACKTESTS_SECONDS, backtests.look_after),
            Periodic("watch old debts", OLD_DEBTS_SECONDS, partial(_watch_debts, database, settings)),
            Periodic("watch unlinked returns", UNLINKED_SECONDS, partial(watch_unlinked_returns, database)),
            Periodic("end fraud holds", HOLDS_END_SECONDS, jobs.end_holds),
            Periodic("grade tiers", TIERS_GRADE_SECONDS, jobs.grade_tiers),
            _retired_keys(database),
            Periodic("sweep parked receipts", SWEEP_SECONDS, jobs.sweep),
            Periodic("refuse what waited in vain", OVERDUE_SECONDS, OverdueDocuments(database, programme).run),
        ),
        retention=kept_for_a_time(settings.parked_window_days),
        checks=(Check("ledger version", jobs.check_ledger),),
        on_start=(jobs.refresh_rules, jobs.refresh_funds),
        on_stop=(producer.stop, backtests.stop),
        find_till=jobs.find_till,
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


def _retired_keys(database: Database) -> Periodic:
    hashes = RetiredHashes(database, "identifiers")
    return Periodic("let hashes of retired keys go", retired_keys.SWEEP_SECONDS, hashes.let_go)


def _expiry(database: Database, settings: AccrualSettings) -> tuple[Periodic, ...]:
    size = BatchSize(PAGE_LOTS_MAX, min(HOLD_MS_MAX, settings.ledger_hold_ms_max) / 1000)
    passes, notices = ExpiryPasses(database, size), NoticePasses(database, settings.expiry_notice_days)
    return (
        Periodic("expire points", EXPIRY_SECONDS, passes.run),
        Periodic("tell of points that will expire", NOTICES_SECONDS, notices.run),
    )


def _ledger_jobs(database: Database, settings: AccrualSettings, rules: PublishedRules) -> tuple[Periodic, ...]:
    size = BatchSize(OWNERS_LOCKED_MAX, min(HOLD_MS_MAX, settings.ledger_hold_ms_max) / 1000)
    idle = IdlePasses(database, settings.programme, rules, settings.expiry_notice_days, settings.topic_partitions, size)
    return (
        *_expiry(database, settings),
        Periodic("expire points of the inactive", IDLE_SECONDS, idle.run),
        _releases(database, settings, rules),
        _sealing(database),
    )


def _releases(database: Database, settings: AccrualSettings, rules: PublishedRules) -> Periodic:
    size = BatchSize(PAGE_PARTS_MAX, min(HOLD_MS_MAX, settings.ledger_hold_ms_max) / 1000)
    return Periodic("release points that waited", RELEASE_SECONDS, ReleasePasses(database, size, rules.tiers).run)


def _sealing(database: Database) -> Periodic:
    def count(block: ledger.Block) -> None:
        metrics.TRANSFERS_SEALED.inc(block.transfers)

    return Periodic("seal transfers", SEALING_SECONDS, ledger.Sealer(database, count).run)


async def _post_files(database: Database, settings: AccrualSettings, tiers: KnownTierSchemes) -> None:
    settle = partial(settle_lines, programme=settings.programme, rules=settings.adjustment_rules, tiers=tiers)
    while decided := await database.run(settle):
        metrics.ADJUSTMENT_LINES.inc(decided)


async def _watch_debts(database: Database, settings: AccrualSettings) -> None:
    found = await database.run(partial(old_debts.find, age_max=timedelta(days=settings.debt_age_days_max)))
    metrics.OLD_DEBT_ACCOUNTS.set(found.accounts)
    metrics.OLD_DEBT_POINTS.set(found.points)


async def _celebrate(database: Database, programme: Programme, rules: PublishedRules) -> None:
    while await database.run(partial(celebrate_due_day, programme=programme, rules=rules)):
        pass


class _Jobs:
    """What the process does by itself, each in a transaction of its own."""

    def __init__(self, database: Database, rules: PublishedRules, funds: KnownFunds) -> None:
        self._database = database
        self._rules = rules
        self._funds = funds

    async def refresh_rules(self) -> None:
        await self._database.run(self._rules.refresh)

    async def refresh_funds(self) -> None:
        await self._database.run(self._funds.refresh)

    async def settle_funds(self) -> None:
        while released := await self._database.run(release_what_funds_decide):
            metrics.RELEASED.inc(released)

    async def end_holds(self) -> None:
        while ended := await self._database.run(end_due_holds):
            metrics.FRAUD_HOLDS_ENDED.inc(ended)

    async def grade_tiers(self) -> None:
        """Page after page, until nobody is due."""
        if self._rules.tiers.history.is_empty:
            return
        while graded := await self._database.run(partial(grade_due_tiers, schemes=self._rules.tiers.history)):
            metrics.TIERS_GRADED.inc(graded)

    async def sweep(self) -> None:
        metrics.PARKED_STRANDED.set(await self._database.run(sweep_parked))

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
