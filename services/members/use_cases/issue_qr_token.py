"""Issue a QR token: what a member's app shows at a till, for a minute and one till conversation."""

from uuid import UUID, uuid4

from services.members.domain.errors import MemberNotFoundError
from services.members.domain.statuses import judge_open
from services.members.repository import registry
from shared.database import Transaction
from shared.qr_tokens import HOLD_CLOCK_TOLERANCE, QrToken


async def issue_qr_token(transaction: Transaction, member_id: UUID) -> QrToken:
    """A token of the member, for a new session, counting from now on. Nothing is stored: any service can check it.

    What its member may do at the till is judged there, when it is shown.

    Raises:
        MemberNotFoundError, MemberGoneError
    """
    status = await registry.find_status(transaction, member_id)
    if status is None:
        raise MemberNotFoundError("there is no such member")
    judge_open(status)
    return QrToken(member_id, uuid4(), transaction.now)


async def resolve_qr_token(transaction: Transaction, token: QrToken) -> UUID:
    """Whose token this is, if it counts now.

    Raises:
        InvalidQrTokenError: it has expired.
        MemberNotFoundError, MemberGoneError: its member has left since.
    """
    token.require(transaction.now, HOLD_CLOCK_TOLERANCE)
    status = await registry.find_status(transaction, token.member_id)
    if status is None:
        raise MemberNotFoundError("there is no such member")
    judge_open(status)
    return token.member_id
