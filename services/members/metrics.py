"""Everything that members counts."""

from prometheus_client import Counter

BLOCKS_SKIPPED = Counter(
    "tessera_members_duplicate_blocks_skipped_total",
    "Times that a block of persons was too large for its members to be held against each other.",
)
