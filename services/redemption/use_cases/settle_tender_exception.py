"""A person decides what an exception of the daily list was about."""

from uuid import UUID

from services.redemption.domain.errors import RedemptionError
from services.redemption.repository import tender_exceptions, voided_receipts
from services.redemption.repository.tender_exceptions import TenderException
from services.redemption.use_cases.read_tender_exceptions import Listed
from shared.database import Transaction
from shared.database.errors import StartAgainError


class UnknownExceptionError(RedemptionError):
    """No exception bears this id."""

    def __init__(self) -> None:
        super().__init__("there is no such exception: take its exception_id from the list")


class SettledOtherwiseError(RedemptionError):
    """A person has settled it for another reason."""

    def __init__(self) -> None:
        super().__init__("this exception was settled for another reason: what was decided stays, see the list")


class SettledByItselfError(RedemptionError):
    """What it was about came right: its document was refused, what it took was given back, or its exchange voided."""

    def __init__(self) -> None:
        super().__init__("this exception has settled itself meanwhile, see the list: there is nothing to decide")


async def settle_tender_exception(
    transaction: Transaction, exception_id: UUID, reason_code: str, author: str
) -> Listed:
    """Keep that ``author`` has settled it, and why; no points move by it. Once for ever: for the same reason again it
    is answered as it stands, whoever asks. Locks the exception alone.

    Raises:
        UnknownExceptionError, SettledOtherwiseError, SettledByItselfError: nothing was changed.
    """
    found = await _find(transaction, exception_id)
    if found.settled_at is None:
        if not await tender_exceptions.settle(transaction, found, reason_code, author):
            raise StartAgainError("somebody settled the exception at the same time")
        found = await _find(transaction, exception_id)
    elif found.settled_by != "person":
        raise SettledByItselfError
    elif found.settled_because != reason_code:
        raise SettledOtherwiseError
    voids = await voided_receipts.find_standing(transaction, [found.receipt_key])
    return Listed(found, voids.get(found.receipt_key) is not None)


async def _find(transaction: Transaction, exception_id: UUID) -> TenderException:
    found = await tender_exceptions.find_one(transaction, exception_id)
    if found is None:
        raise UnknownExceptionError
    return found
