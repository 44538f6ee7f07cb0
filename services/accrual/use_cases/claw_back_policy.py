"""Where rules let nobody owe what is taken back: only the ledger knows whether the points are there, under its lock."""

from collections.abc import Sequence

from shared.ledger import ClawBack, Outcome, Refused

# Whoever is refused leaves more for the others, so that a second time is nearly always the last.
ATTEMPTS_MAX = 5


class PointsNotThereError(Exception):
    """What documents would take back is not there. Roll back, and call again with their ``keys`` as ``not_there``."""

    def __init__(self, keys: frozenset[bytes]) -> None:
        super().__init__(f"what {len(keys)} documents would take back is not there")
        self.keys = keys


def require_points(documents: Sequence[bytes], outcomes: Sequence[Outcome]) -> None:
    """Nothing, where the ledger took back whatever was asked for these documents (by key), outcome by outcome.

    Raises:
        PointsNotThereError: of some it took nothing.
    """
    keys = {
        key
        for key, outcome in zip(documents, outcomes, strict=True)
        if isinstance(outcome, Refused) and isinstance(outcome.command, ClawBack)
    }
    if keys:
        raise PointsNotThereError(frozenset(keys))
