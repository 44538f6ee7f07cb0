"""Every metric of accrual, with what it tells."""

from prometheus_client import Counter, Gauge, Histogram

RECEIPTS = Counter(
    "tessera_accrual_receipts",
    "Documents by what became of them: awarded, clawed_back, exchanged, unlinked_return, refused, parked, duplicate,"
    " conflict.",
    ("outcome", "reason"),
)
POINTS_AWARDED = Counter("tessera_accrual_points_awarded", "Points given for purchases, in their smallest unit.")
RELEASED = Counter("tessera_accrual_released_receipts", "Parked receipts that were published again.")
PARKED_STRANDED = Gauge(
    "tessera_accrual_parked_stranded", "Receipts that were parked though what they waited for was there. Stays 0."
)
OLD_DEBT_ACCOUNTS = Gauge(
    "tessera_accrual_old_debt_accounts", "Accounts that owe points for longer than TESSERA_DEBT_AGE_DAYS_MAX."
)
OLD_DEBT_POINTS = Gauge("tessera_accrual_old_debt_points", "Points that are owed for longer than that.")
UNLINKED_RETURNS_WAITING = Gauge(
    "tessera_accrual_unlinked_returns_waiting", "Returns that name no purchase and wait for people to look at them."
)
UNLINKED_RETURNS_OLDEST_SECONDS = Gauge(
    "tessera_accrual_unlinked_returns_oldest_seconds", "For how long the oldest of them has waited; 0 where none does."
)
TOLERATED_SUMS = Counter("tessera_accrual_tolerated_sums", "Sums of accepted documents that were off within tolerance.")
BACKTESTS = Counter("tessera_accrual_backtests", "Processes of backtests by how they came to an end.", ("outcome",))
ADJUSTMENT_LINES = Counter("tessera_accrual_adjustment_lines", "Lines of files of adjustments that were decided.")
MEMBER_EVENTS = Counter("tessera_accrual_member_events", "Member events that an enrolment made.")
FRAUD_DECISIONS = Counter("tessera_accrual_fraud_decisions", "Holds and releases of fraud's that were news.")
FRAUD_HOLDS_ENDED = Counter("tessera_accrual_fraud_holds_ended", "Holds that ended by time.")
TIERS_GRADED = Counter(
    "tessera_accrual_tiers_graded", "Members who were graded because time had brought something about."
)
_HELD_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5)
LEDGER_HELD_SECONDS = Histogram(
    "tessera_accrual_ledger_held_seconds",
    "How long a batch kept ledger rows locked, lock to commit.",
    buckets=_HELD_BUCKETS,
)
TRANSFERS_SEALED = Counter("tessera_accrual_transfers_sealed", "Transfers that were sealed into the ledger's chain.")
LOTS_EXPIRED = Counter("tessera_accrual_lots_expired", "Lots whose points lapsed because their day had come.")
MEMBERS_IDLE = Counter("tessera_accrual_members_idle", "Members whose points lapsed for inactivity.")
EXPIRY_HELD_SECONDS = Histogram(
    "tessera_accrual_expiry_held_seconds",
    "How long a page of expiry kept ledger rows locked, lock to commit. Stays below 0.1.",
    buckets=_HELD_BUCKETS,
)
PARTS_RELEASED = Counter("tessera_accrual_parts_released", "Parts of awards that wait no longer: released, or lapsed.")
RELEASE_HELD_SECONDS = Histogram(
    "tessera_accrual_release_held_seconds",
    "How long a page of releases kept members and ledger rows locked, lock to commit. Stays below 0.1.",
    buckets=_HELD_BUCKETS,
)
