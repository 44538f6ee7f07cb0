"""Everything that redemption counts."""

from prometheus_client import Counter, Gauge, Histogram

from shared.telemetry.metrics import LATENCY_BUCKETS_SECONDS

HOLDS = Counter(
    "tessera_redemption_holds_total",
    "Answered holds by outcome: held, declined (with what declined them), already paid by a receipt, or stopped for the"
    " member's code: confirmation_needed, not_confirmed (a wrong one, or another request's key).",
    ["outcome"],
)
TENDERS = Counter(
    "tessera_redemption_tenders_total",
    "Points tenders of receipts by what became of them: captured (from the hold), late (the hold was gone), repeat "
    "(captured before), waiting (nobody knows the member), refused (the receipt was), exception (a person must look).",
    ["outcome"],
)
UNCOVERED_POINTS = Counter(
    "tessera_redemption_uncovered_points_total",
    "Points that receipts took and balances could not give: the partners' loss.",
)
OWED_POINTS = Counter(
    "tessera_redemption_owed_points_total",
    "Points that receipts took and balances could not give, and that members owe (TESSERA_UNCOVERED_CHARGED_TO).",
)
LEAVINGS = Counter(
    "tessera_redemption_household_leavings_total",
    "Members who left a household with which their points stay: given, nothing_left, or kept by the leaver because "
    "leaver_locked, leaver_merged, heir_gone, same_owner (the two are one by now).",
    ["outcome"],
)
REFUNDED_POINTS = Counter(
    "tessera_redemption_refunded_points_total",
    "Points that were given back because their receipts were voided, or goods returned.",
)
GIFTS = Counter(
    "tessera_redemption_gifts_total",
    "Decided gifts between members by outcome: given, repeat (the same gift again), facts_behind (to be asked again), "
    "confirmation_needed and not_confirmed (the giver's code), or why they were refused.",
    ["outcome"],
)
GIFTED_POINTS = Counter(
    "tessera_redemption_gifted_points_total", "Points that members gave to others, by point type.", ["point_type"]
)
CHECKOUT_PARTS = Counter(
    "tessera_redemption_checkout_parts_total",
    "Parts of answered checkouts by outcome: there, refused (by a decision, as of an unknown card), late (cancelled at "
    "its deadline), away (who knows it does not answer), failed (look at the log).",
    ["part", "outcome"],
)
CHECKOUT_PART_SECONDS = Histogram(
    "tessera_redemption_checkout_part_seconds",
    "How long each part of an answered checkout took, whatever became of it.",
    ["part"],
    buckets=LATENCY_BUCKETS_SECONDS,
)
RETURN_QUOTES = Counter(
    "tessera_redemption_return_quotes_total",
    "Quotes of returns by what accrual said of what the goods had earned: there, late (cancelled at its deadline), "
    "away (it does not answer), failed (look at the log).",
    ["taken"],
)
ASKS = Counter(
    "tessera_redemption_asks_total",
    "Asked before points leave, by what was answered (allow, step_up, deny, other_request) and by whom: fraud, or the"
    " ceiling while it did not answer. Alert on a share of the ceiling.",
    ["verdict", "by"],
)
NEIGHBOURS_AWAY = Gauge(
    "tessera_redemption_neighbours_away",
    "Whether another service did not answer the last times, and is asked once a second at most. Alert.",
    ["neighbour"],
)
REWARDS = Counter(
    "tessera_redemption_rewards_total",
    "Rewards that were asked for by outcome: issued, reserved, repeat (the same voucher again), facts_behind (to be "
    "asked again), or why they were refused; returned: a used one, whose receipt was voided.",
    ["outcome"],
)
VOUCHERS_TAKEN = Counter(
    "tessera_redemption_vouchers_taken_total",
    "Vouchers that tills asked to take by outcome: used, refused.",
    ["outcome"],
)
QUOTES_FORGOTTEN = Counter("tessera_redemption_quotes_forgotten_total", "Quotes that no hold has named in time.")
VOUCHERS_EXPIRED = Counter("tessera_redemption_vouchers_expired_total", "Vouchers whose time was over, unused.")
PRIVILEGE_USES = Counter(
    "tessera_redemption_privilege_uses_total",
    "What became of uses of privileges: used, named (its member is known by now), undone (another part of it), or what "
    "is against it: unknown_privilege, other_place, not_in_force, limit_exceeded.",
    ["outcome"],
)
EXPIRED = Counter("tessera_redemption_expired_total", "Holds that were let go because their time was over.")
EXCEPTIONS = Counter(
    "tessera_redemption_exceptions_total",
    "Matters for a person, each counted once: amount_mismatch, refused_receipt, other_partner, other_currency,"
    " other_goods (a receipt's goods may not use what its hold reserved),"
    " void_of_other_total and refused_void (points went back for a void that does not count), overpaid_refund (a return"
    " says more points than were taken), returned_more (goods that were not bought, or not so many), refused_return"
    " (points went back for it), unread_receipt (goods of a receipt that took points and was not read),"
    " moved_on (goods of an exchange, for which points had paid before). Alert.",
    ["kind"],
)
EXCEPTIONS_OPEN = Gauge("tessera_redemption_exceptions_open", "Matters for a person that nobody has settled. Alert.")
TENDERS_WAITING = Gauge("tessera_redemption_tenders_waiting", "Points tenders whose member nobody knows yet.")
TENDERS_STRANDED = Gauge(
    "tessera_redemption_tenders_stranded",
    "Points tenders that still wait though their member is known, after the sweep has tried them: stays 0.",
)
EXPIRY_LAG_SECONDS = Gauge(
    "tessera_redemption_expiry_lag_seconds",
    "How far purchases have been read behind the present: holds expire this much later than they say.",
)
RETURNS_STRANDED = Gauge(
    "tessera_redemption_returns_stranded",
    "Receipts whose returned goods still wait to be settled, after the sweep has tried them: stays 0.",
)
