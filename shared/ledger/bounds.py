"""What every command is held to: whole positive points, and names of a bounded length."""

from shared.ledger.terms import AWARD_BYTES_MAX

POINTS_MAX = 10**15  # of one command; sums of a thousand of them still fit a bigint
REFERENCE_BYTES_MAX = 512


def require(points: int, reference: bytes) -> None:
    """Raises ValueError for an amount or a reference that no command may have."""
    if not 1 <= points <= POINTS_MAX:
        raise ValueError(f"points of a command are a whole number from 1 to {POINTS_MAX}")
    if not 1 <= len(reference) <= REFERENCE_BYTES_MAX:
        raise ValueError(f"a reference has 1 to {REFERENCE_BYTES_MAX} bytes")


def require_award(award: bytes) -> None:
    """Raises ValueError for a name that no award may have."""
    if not 1 <= len(award) <= AWARD_BYTES_MAX:
        raise ValueError(f"an award is named by 1 to {AWARD_BYTES_MAX} bytes")
