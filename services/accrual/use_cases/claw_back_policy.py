"""Where rules let nobody owe what is taken back: only the ledger knows whether the points are there, under its lock."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from services.accrual.domain.decisions import ClawedBack
from shared.ledger import ClawBack, Outcome, Refused

# Whoever is refused leaves more for the others, so that a second time is nearly always the last.
ATTEMPTS_MAX = 5
# Nothing goes back of what a receipt took before it was made out; the rest is for clocks of two machines, and for
# points that are captured before the receipt is complete.
_CLOCKS_APART_MAX = timedelta(days=1)


class PointsNotThereError(Exception):
    """What documents would take back is not there. Roll back, and call again with their ``keys`` as ``not_there``."""

    def __init__(self, keys: frozenset[bytes]) -> None:
        super().__init__(f"what {len(keys)} documents would take back is not there")
        self.keys = keys


def refunded_since(decision: ClawedBack) -> datetime:
    """From when on redemption may have given back what had paid for a document's goods: it covers no claw-back that
    nobody owes, whichever of the two services comes first. A till may ask for it over HTTP days before it posts the
    document, so that only the purchase's own time bounds it.
    """
    received_at = decision.document.event.data.received_at
    return min(received_at, decision.purchased_at or received_at) - _CLOCKS_APART_MAX


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
