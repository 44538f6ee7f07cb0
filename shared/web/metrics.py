"""The metrics of everything that answers HTTP."""

from prometheus_client import Counter, Gauge, Histogram

from shared.telemetry.metrics import LATENCY_BUCKETS_SECONDS

REQUESTS = Counter(
    "tessera_http_requests_total",
    "Answered requests by method, route template (unmatched: no such route) and class of status (2xx).",
    ["method", "route", "status_class"],
)
REQUEST_SECONDS = Histogram(
    "tessera_http_request_seconds",
    "From the first byte of a request's head to the last byte of its answer.",
    ["method", "route"],
    buckets=LATENCY_BUCKETS_SECONDS,
)
REQUESTS_IN_FLIGHT = Gauge("tessera_http_requests_in_flight", "Requests that are being worked on.")
PROBLEMS = Counter(
    "tessera_http_problems_total",
    "Refusals and faults by the slug of their problem type.",
    ["status", "slug"],
)
INVALID_FIELDS = Counter(
    "tessera_http_invalid_fields_total",
    "Findings in requests that failed validation, by the kind of finding.",
    ["kind"],
)
TOKEN_REFUSALS = Counter(
    "tessera_http_token_refusals_total",
    "Credentials that were not accepted, by reason.",
    ["reason"],
)
KEY_FETCHES = Counter(
    "tessera_jwks_fetches_total",
    "Attempts to fetch a token issuer's public keys, by issuer (own, or an external one's prefix) and outcome (loaded, "
    "failed).",
    ["issuer", "outcome"],
)
IDEMPOTENT_ANSWERS = Counter(
    "tessera_idempotent_answers_total",
    "Keyed requests by what became of them (done, refused, under_way, replayed, in_flight, other_payload).",
    ["outcome"],
)
SHARED_TRANSACTION_REQUESTS = Histogram(
    "tessera_shared_transaction_requests",
    "How many keyed requests began in one transaction.",
    buckets=(1, 2, 4, 8, 16, 32),
)
SHARED_REQUESTS = Counter(
    "tessera_shared_requests_total",
    "Keyed requests that may share a transaction by what became of them there: shared (answered), busy (their rows were"
    " locked: they wait for them with others of their subject), alone (asked by themselves), failed (the transaction"
    " did, and who shared it is asked alone: look at the log).",
    ["outcome"],
)
CHECKS = Gauge("tessera_ready_check", "The last result of each readiness check: 1 passed, 0 failed.", ["check"])
