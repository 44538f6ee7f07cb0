"""What accrual does by itself as time passes, and how often; each pass in transactions of its own."""

from datetime import timedelta
from functools import partial

from services.accrual import metrics
from services.accrual.backtesting import BacktestProcesses
from services.accrual.programme import KnownFunds, PublishedRules
from services.accrual.repository import old_debts
from services.accrual.settings import AccrualSettings
from services.accrual.use_cases.apply_fraud_holds import end_due_holds
from services.accrual.use_cases.celebrate_members import celebrate_due_day
from services.accrual.use_cases.decide_adjustment_files import settle_lines
from services.accrual.use_cases.expire_idle import OWNERS_LOCKED_MAX
from services.accrual.use_cases.grade_due_tiers import grade_due_tiers
from services.accrual.use_cases.pass_expiry import HOLD_MS_MAX, PAGE_LOTS_MAX, ExpiryPasses
from services.accrual.use_cases.pass_idle import IdlePasses
from services.accrual.use_cases.pass_notices import NoticePasses
from services.accrual.use_cases.pass_releases import PAGE_PARTS_MAX, ReleasePasses
from services.accrual.use_cases.refuse_overdue import OverdueDocuments
from services.accrual.use_cases.release_parked import release_what_funds_decide
from services.accrual.use_cases.sweep_parked import sweep_parked
from services.accrual.watching import watch_unlinked_returns
from shared import ledger
from shared.database import Database, retired_keys
from shared.database.retired_keys import RetiredHashes
from shared.kafka.batch_size import BatchSize
from shared.runtime.wiring import Periodic

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


class Timers:
    """The periodic work of one process. ``rules`` and ``funds`` are what it knows of them, and are kept fresh here."""

    def __init__(
        self,
        database: Database,
        settings: AccrualSettings,
        rules: PublishedRules,
        funds: KnownFunds,
        backtests: BacktestProcesses,
    ) -> None:
        self._database = database
        self._settings = settings
        self._rules = rules
        self._funds = funds
        self._backtests = backtests

    def periodic(self) -> tuple[Periodic, ...]:
        """All of it: a worker does it, but for the rules, which every process keeps fresh."""
        overdue = OverdueDocuments(self._database, self._settings.programme)
        hashes = RetiredHashes(self._database, "identifiers")
        unlinked = partial(watch_unlinked_returns, self._database)
        return (
            Periodic("refresh rule sets", RULES_REFRESH_SECONDS, self.refresh_rules, in_every_role=True),
            Periodic("refresh partners' funds", FUNDS_REFRESH_SECONDS, self.refresh_funds),
            Periodic("settle what waits for funds", FUNDS_REFRESH_SECONDS, self.settle_funds),
            Periodic("post files of adjustments", ADJUSTMENT_FILES_SECONDS, self.post_files),
            *self._ledger_passes(),
            Periodic("celebrate members", CELEBRATE_SECONDS, self.celebrate),
            Periodic("run backtests", BACKTESTS_SECONDS, self._backtests.look_after),
            Periodic("watch old debts", OLD_DEBTS_SECONDS, self.watch_debts),
            Periodic("watch unlinked returns", UNLINKED_SECONDS, unlinked),
            Periodic("end fraud holds", HOLDS_END_SECONDS, self.end_holds),
            Periodic("grade tiers", TIERS_GRADE_SECONDS, self.grade_tiers),
            Periodic("let hashes of retired keys go", retired_keys.SWEEP_SECONDS, hashes.let_go),
            Periodic("sweep parked receipts", SWEEP_SECONDS, self.sweep),
            Periodic("refuse what waited in vain", OVERDUE_SECONDS, overdue.run),
        )

    def _ledger_passes(self) -> tuple[Periodic, ...]:
        """Those that go through the ledger page by page: none holds its rows longer than is allowed beside tills."""
        database, settings = self._database, self._settings
        hold_seconds = min(HOLD_MS_MAX, settings.ledger_hold_ms_max) / 1000
        expiry = ExpiryPasses(database, BatchSize(PAGE_LOTS_MAX, hold_seconds))
        notices = NoticePasses(database, settings.expiry_notice_days)
        idle = IdlePasses(
            database,
            settings.programme,
            self._rules,
            settings.expiry_notice_days,
            settings.topic_partitions,
            BatchSize(OWNERS_LOCKED_MAX, hold_seconds),
        )
        releases = ReleasePasses(database, BatchSize(PAGE_PARTS_MAX, hold_seconds), self._rules.tiers)
        sealer = ledger.Sealer(database, _count_sealed)
        return (
            Periodic("expire points", EXPIRY_SECONDS, expiry.run),
            Periodic("tell of points that will expire", NOTICES_SECONDS, notices.run),
            Periodic("expire points of the inactive", IDLE_SECONDS, idle.run),
            Periodic("release points that waited", RELEASE_SECONDS, releases.run),
            Periodic("seal transfers", SEALING_SECONDS, sealer.run),
        )

    async def refresh_rules(self) -> None:
        """Hear of rule sets that were published."""
        await self._database.run(self._rules.refresh)

    async def refresh_funds(self) -> None:
        """Hear of partners whose funds changed."""
        await self._database.run(self._funds.refresh)

    async def settle_funds(self) -> None:
        """Publish again what waited for a partner's funds and may be decided now."""
        while released := await self._database.run(release_what_funds_decide):
            metrics.RELEASED.inc(released)

    async def post_files(self) -> None:
        """Post the lines of approved files, page by page."""
        settle = partial(
            settle_lines,
            programme=self._settings.programme,
            rules=self._settings.adjustment_rules,
            tiers=self._rules.tiers,
        )
        while decided := await self._database.run(settle):
            metrics.ADJUSTMENT_LINES.inc(decided)

    async def celebrate(self) -> None:
        """Give what birthdays and anniversaries give, page by page."""
        celebrate = partial(celebrate_due_day, programme=self._settings.programme, rules=self._rules)
        while await self._database.run(celebrate):
            pass

    async def watch_debts(self) -> None:
        """Say how much has been owed for too long."""
        age_max = timedelta(days=self._settings.debt_age_days_max)
        found = await self._database.run(partial(old_debts.find, age_max=age_max))
        metrics.OLD_DEBT_ACCOUNTS.set(found.accounts)
        metrics.OLD_DEBT_POINTS.set(found.points)

    async def end_holds(self) -> None:
        """End fraud's holds whose time is over."""
        while ended := await self._database.run(end_due_holds):
            metrics.FRAUD_HOLDS_ENDED.inc(ended)

    async def grade_tiers(self) -> None:
        """Page after page, until nobody is due."""
        if self._rules.tiers.history.is_empty:
            return
        while graded := await self._database.run(partial(grade_due_tiers, schemes=self._rules.tiers.history)):
            metrics.TIERS_GRADED.inc(graded)

    async def sweep(self) -> None:
        """Try parked receipts again whose counterpart is there."""
        metrics.PARKED_STRANDED.set(await self._database.run(sweep_parked))


def _count_sealed(block: ledger.Block) -> None:
    metrics.TRANSFERS_SEALED.inc(block.transfers)
