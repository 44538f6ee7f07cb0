"""Everything a consumer counts. Labels are bounded: services and topics by the catalogue, the rest by the code."""

from prometheus_client import Counter, Gauge, Histogram

_BY_TOPIC = ["service", "topic"]

HANDLED = Counter("tessera_consumer_handled_total", "Records that a handler took.", _BY_TOPIC)
HANDLE_SECONDS = Histogram("tessera_consumer_handle_seconds", "One call of a handler that succeeded.", _BY_TOPIC)
LAG = Gauge("tessera_consumer_lag", "Records of the assigned partitions not handled yet.", _BY_TOPIC)
SKIPPED = Counter(  # reason: unwanted (by its headers) | unknown_type
    "tessera_consumer_skipped_total", "Records passed over on purpose.", [*_BY_TOPIC, "reason"]
)
DEAD_LETTERS = Counter(  # cause: empty | not_json | unknown_type | schema | rejected
    "tessera_consumer_dead_letters_total", "Records that the broker keeps as dead letters.", [*_BY_TOPIC, "cause"]
)
FAILURES = Counter(  # kind: permanent | transient | timeout
    "tessera_consumer_failures_total", "Calls of a handler that failed, and batches given back.", [*_BY_TOPIC, "kind"]
)
STOPPED = Counter(  # alert on any; reason: dead_letter_limit | record_timeout | stuck | replaced | client_failed
    "tessera_consumer_stopped_total", "Consumers that could not go on.", [*_BY_TOPIC, "reason"]
)
