"""What a process tells about itself."""

from prometheus_client import Counter, Gauge, Histogram

PERIODIC_PASSES = Counter(
    "tessera_periodic_passes_total",
    "Passes of periodic work by name and outcome (done, failed, late).",
    ["work", "outcome"],
)
PERIODIC_SECONDS = Histogram(
    "tessera_periodic_pass_seconds",
    "How long a pass of periodic work took.",
    ["work"],
    buckets=(0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0),
)
PERIODIC_PASSED_THROUGH = Gauge(
    "tessera_periodic_passed_through_seconds",
    "Business time (seconds since 1970) at which the last finished pass began: what was due then has been done.",
    ["work"],
)
CLOCK_READINGS = Counter(
    "tessera_clock_readings_total", "Readings of business time by outcome (done, failed).", ["outcome"]
)
START_SECONDS = Gauge("tessera_process_ready_seconds", "From the start of the command to serving.")
