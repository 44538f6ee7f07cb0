"""How metrics are used here, and how they leave the process.

Each package declares its metrics in one file, ``metrics.py``, on prometheus-client's own registry: the name, what it
counts and its labels stand together, so that a reader finds all of a package's numbers on one page. Names start with
``tessera_`` and end in their unit. A label's values are bounded by code, never by input: a route's template and not
its path, a problem's slug and not its text, never a member, a till or an address.
"""

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, disable_created_metrics, generate_latest

# A second series for every one, and nobody asks when a counter was made.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library leaves this one without types

EXPOSITION_TYPE = CONTENT_TYPE_LATEST

# From a till's wait (milliseconds) to the deadline of a request (seconds).
LATENCY_BUCKETS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


def exposition() -> bytes:
    """All metrics of this process in the Prometheus text format, to be served as ``EXPOSITION_TYPE``."""
    return generate_latest(REGISTRY)
