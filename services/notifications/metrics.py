"""The metrics of notifications."""

from prometheus_client import Counter, Gauge, Histogram

from shared.telemetry.metrics import LATENCY_BUCKETS_SECONDS

AWARDS_ADDED = Counter("tessera_notifications_awards_total", "Awards that were added to a digest for the first time.")
NEWS_ADDED = Counter("tessera_notifications_news_total", "News that were added to a message for the first time.")
MESSAGES_ENDED = Counter(
    "tessera_notifications_messages_total",
    "Messages that ended, by state (sent, failed, suppressed) and reason.",
    ["state", "reason"],
)
CODES_ASKED = Counter(
    "tessera_notifications_codes_asked_total", "One-time codes that members were to be sent, each counted once."
)
PIN_NOTICES_OPENED = Counter(
    "tessera_notifications_pin_notices_total", "Messages about a change of a member's PIN, each counted once."
)
ATTEMPTS = Counter(
    "tessera_notifications_attempts_total",
    "Attempts to deliver a message, by outcome (Accepted, Deferred, Interrupted, Unavailable …).",
    ["outcome"],
)
ATTEMPT_SECONDS = Histogram(
    "tessera_notifications_attempt_seconds",
    "One message from its claim to the last word about it: address, text, mail server.",
    buckets=(*LATENCY_BUCKETS_SECONDS, 30.0, 60.0, 120.0),
)
SENDER_PAUSED = Gauge(
    "tessera_notifications_sender_paused",
    "1 while the sender waits for the registry or the mail server to come back.",
)
