"""What the relay counts. A process relays one service's outbox, so no label names it."""

from prometheus_client import Counter, Gauge

RELAYED = Counter("tessera_outbox_relayed_total", "Rows that were acknowledged by the broker and deleted.")
SENT_AGAIN = Counter(
    "tessera_outbox_rounds_repeated_total", "Rounds that will be sent again, by cause.", ["cause"]
)  # unavailable | broken | lease_lost
OLDEST_SECONDS = Gauge("tessera_outbox_oldest_seconds", "Age of the oldest row in the slots held, once a second.")
SLOTS_HELD = Gauge("tessera_outbox_slots_held", "Slots this relay leases, of 16.")
