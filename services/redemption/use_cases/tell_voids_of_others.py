"""Tell a person of points that went back over HTTP for what was called a return, and is the void of another receipt."""

from collections.abc import Sequence

from services.redemption.domain.voiding import ReceiptVoid
from services.redemption.repository import goods_returns, recorded_exceptions
from services.redemption.repository.recorded_exceptions import ExceptionKind
from shared.database import Transaction


async def tell_voids_of_others(transaction: Transaction, voids: Sequence[ReceiptVoid]) -> list[ExceptionKind]:
    """Compare voids, which are kept and committed, with what HTTP has given back under their keys; gives the kinds of
    the exceptions that are new. Nothing goes back or forth: which of the two words was wrong is for a person.

    Idempotent: once a void's document and redemption. Locks nothing: a refund over HTTP meets the void in its row, so
    that it is seen here, or has seen the void and was refused.
    """
    documents = [(void.void_key, void.content_hash, void.receipt_key) for void in voids]
    found = await goods_returns.load_of_others(transaction, documents)
    return await recorded_exceptions.record(transaction, found)
