"""What HTTP says of vouchers."""

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import Field

from services.redemption.domain.rewards.voucher import Voucher
from services.redemption.schemas.answer import Answer
from services.redemption.schemas.balances import BalanceAnswer
from shared.ledger import Balances
from shared.point_types import PointTypes
from shared.web import Body, CodeText

VoucherStateText = Literal["issued", "cancelled", "expired"]


class IssueBody(Body):
    """Give a reward to a member."""

    voucher_id: UUID = Field(description="Your own id, made before you ask: the same one sent twice is one, for ever.")
    member_id: UUID = Field(description="Who takes it. You vouch for the person.")


class CancelBody(Body):
    """Why a voucher is to count no more."""

    reason_code: CodeText


class VoucherAnswer(Answer):
    """A voucher. Of ``points``, ``exponent`` decimals are shown."""

    voucher_id: UUID
    reward_id: str
    reward_version: int
    member_id: UUID
    partner_id: str
    point_type: str
    exponent: int
    points: int
    state: VoucherStateText
    issued_at: datetime
    expires_at: datetime
    closed_at: datetime | None
    reason_code: str | None

    @classmethod
    def of(cls, voucher: Voucher, types: PointTypes) -> Self:
        """The answer for a voucher."""
        return cls.model_validate(_told(voucher, types))


class VoucherBalanceAnswer(VoucherAnswer):
    """The same, and what its member has by now."""

    balance: BalanceAnswer

    @classmethod
    def after(cls, voucher: Voucher, balance: Balances, types: PointTypes) -> Self:
        """The answer once something became of a voucher."""
        return cls.model_validate(_told(voucher, types) | {"balance": BalanceAnswer.of(balance)})


class IssuedVoucherAnswer(VoucherBalanceAnswer):
    """The same, and its code, which is the reward: whoever shows it at a till has it."""

    code: str = Field(repr=False)

    @classmethod
    def with_code(cls, voucher: Voucher, balance: Balances, code: str, types: PointTypes) -> Self:
        """The answer with the code, open or sealed."""
        return cls.model_validate(_told(voucher, types) | {"balance": BalanceAnswer.of(balance), "code": code})


class VoucherCodeAnswer(Answer):
    """A voucher's code."""

    voucher_id: UUID
    code: str = Field(repr=False)


def _told(voucher: Voucher, types: PointTypes) -> dict[str, object]:
    return {
        "voucher_id": voucher.voucher_id,
        "reward_id": voucher.reward_id,
        "reward_version": voucher.reward_version,
        "member_id": voucher.member_id,
        "partner_id": voucher.partner_id,
        "point_type": voucher.point_type,
        "exponent": types.exponent_of(voucher.point_type),
        "points": voucher.points,
        "state": voucher.state.value,
        "issued_at": voucher.issued_at,
        "expires_at": voucher.expires_at,
        "closed_at": voucher.closed_at,
        "reason_code": voucher.reason_code,
    }
