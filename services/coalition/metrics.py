"""Every metric of coalition, with what it tells."""

from collections.abc import Iterable

from prometheus_client import Counter, Gauge, Histogram

from services.coalition.domain.exposure import Judged

COUNTED_EFFECTS = Counter(
    "tessera_coalition_counted_effects", "Effects of points that were read, counted before or not.", ("kind",)
)
COUNTED_BEHIND_SECONDS = Histogram(
    "tessera_coalition_counted_behind_seconds",
    "How long after points moved they were counted. Times a partner's rate, it bounds its overshoot.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
# One series a partner with a contract: an operator has tens or hundreds of them.
OVERSHOOT_MINOR = Gauge(
    "tessera_coalition_overshoot_minor",
    "How far a partner is past the point where its contract refuses it, in minor units of its currency.",
    ("partner",),
)


def show(judged: Iterable[Judged]) -> None:
    """What was judged, once it is committed."""
    for each in judged:
        if each.position.contract is not None:
            OVERSHOOT_MINOR.labels(each.exposure.partner_id).set(each.position.overshoot_minor)
