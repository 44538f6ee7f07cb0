"""What HTTP says of vouchers."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import Field

from services.redemption.domain.rewards.codes import TYPED_LENGTH_MAX
from services.redemption.domain.rewards.reward import RewardTerms
from services.redemption.domain.rewards.voucher import Voucher, VoucherState
from services.redemption.schemas.answer import Answer
from services.redemption.schemas.balances import BalanceAnswer
from shared.ledger import Balances
from shared.point_types import PointTypes
from shared.receipt_key import ReceiptKey, receipt_id_of
from shared.web import Body, CodeText, Flag, NonNegativeMinor

VoucherStateText = Literal["reserved", "issued", "delivered", "used", "cancelled", "expired", "returned"]


class IssueBody(Body):
    """Give a reward to a member."""

    voucher_id: UUID = Field(description="Your own id, made before you ask: the same one sent twice is one, for ever.")
    member_id: UUID = Field(description="Who takes it. You vouch for the person.")
    reserve: Flag = Field(
        default=False, description="Only keep it for the member until it is confirmed; one that costs money always is."
    )


class ConfirmBody(Body):
    """What a reserved voucher costs was paid."""

    paid_minor: NonNegativeMinor


class CancelBody(Body):
    """Why a voucher is to count no more."""

    reason_code: CodeText


class DeliverBody(Body):
    """How the member got the code."""

    channel: CodeText


class CheckVoucherBody(Body):
    """A code that somebody shows, and where."""

    code: str = Field(min_length=1, max_length=TYPED_LENGTH_MAX, repr=False)
    partner_id: CodeText | None = Field(default=None, description="Said by the programme's own clients.")
    store_id: CodeText | None = Field(default=None, description="A till's own is known.")


class UseVoucherBody(CheckVoucherBody):
    """The same, and the receipt on which it counts."""

    receipt: ReceiptKey


class CheckedVoucherAnswer(Answer):
    """What a code stands for at its partner's till, by the words that its reward had at its issue."""

    voucher_id: UUID
    reward_id: str
    titles: Mapping[str, str]
    point_type: str
    exponent: int
    points: int
    state: VoucherStateText
    expires_at: datetime
    used_at: datetime | None
    receipt_id: str | None

    @classmethod
    def of(cls, voucher: Voucher, terms: RewardTerms, types: PointTypes) -> Self:
        """The answer for a voucher."""
        receipt_key = voucher.receipt_key
        return cls(
            voucher_id=voucher.voucher_id,
            reward_id=voucher.reward_id,
            titles=terms.titles,
            point_type=voucher.point_type,
            exponent=types.exponent_of(voucher.point_type),
            points=voucher.points,
            state=voucher.state.value,
            expires_at=voucher.expires_at,
            used_at=voucher.closed_at if receipt_key is not None else None,
            receipt_id=None if receipt_key is None else receipt_id_of(receipt_key),
        )


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
    money_minor: int
    paid_minor: int
    state: VoucherStateText
    issued_at: datetime
    expires_at: datetime
    delivered_at: datetime | None
    closed_at: datetime | None
    returned_at: datetime | None
    reason_code: str | None
    receipt_id: str | None

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
    """The same, and its code, which is the reward: whoever shows it at a till has it. Null while it is reserved."""

    code: str | None = Field(repr=False)

    @classmethod
    def with_code(cls, voucher: Voucher, balance: Balances, code: str | None, types: PointTypes) -> Self:
        """The answer with the code, open or sealed."""
        code = None if voucher.state is VoucherState.RESERVED else code
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
        "money_minor": voucher.money_minor,
        "paid_minor": voucher.paid_minor,
        "state": voucher.state.value,
        "issued_at": voucher.issued_at,
        "expires_at": voucher.expires_at,
        "delivered_at": voucher.delivered_at,
        "closed_at": voucher.closed_at,
        "returned_at": voucher.returned_at,
        "reason_code": voucher.reason_code,
        "receipt_id": None if voucher.receipt_key is None else receipt_id_of(voucher.receipt_key),
    }
