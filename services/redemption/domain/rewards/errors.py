"""Why something about a reward or a voucher cannot be done. Nothing was changed when one of these is raised."""

from collections.abc import Sequence
from datetime import datetime

from services.redemption.domain.errors import RedemptionError


class UnknownRewardError(RedemptionError):
    """No reward bears this id, or it is another partner's."""

    def __init__(self) -> None:
        super().__init__("there is no such reward: check the id")


class RewardExistsError(RedemptionError):
    """The id stands for another reward."""

    def __init__(self) -> None:
        super().__init__("this reward id stands for another reward already: take another one, or change that one")


class SupplyFixedError(RedemptionError):
    """What a reward's supply is stays as it was: vouchers and pieces are there."""

    def __init__(self) -> None:
        super().__init__("partner, point type and supply of a reward stay: withdraw it, and make another one")


class NoPiecesError(RedemptionError):
    """Pieces were named of a reward that has none."""

    def __init__(self) -> None:
        super().__init__("this reward is not limited to pieces, so that none can be added or taken away")


class UnknownVoucherError(RedemptionError):
    """No voucher bears this id, or it is another partner's."""

    def __init__(self) -> None:
        super().__init__("there is no such voucher: check the id")


class VoucherIdTakenError(RedemptionError):
    """The id stands for another voucher."""

    def __init__(self) -> None:
        super().__init__("this voucher id stands for another voucher already: make a new one for each")


class VoucherCancelledError(RedemptionError):
    """The voucher was cancelled: its points are the member's again."""

    def __init__(self) -> None:
        super().__init__("this voucher was cancelled, and its points went back to the member")


class VoucherExpiredError(RedemptionError):
    """The voucher's time is over."""

    def __init__(self, expires_at: datetime) -> None:
        super().__init__("this voucher's time is over, and its points are the member's again")
        self.expires_at = expires_at


class VoucherUsedError(RedemptionError):
    """The voucher was used before, for another receipt."""

    def __init__(self) -> None:
        super().__init__("this voucher was used already: it counts once")


class VoucherReturnedError(RedemptionError):
    """The voucher was used, and its receipt was voided."""

    def __init__(self) -> None:
        super().__init__("the receipt of this voucher was voided, and its points are the member's again: issue another")


class OtherPartnersVoucherError(RedemptionError):
    """The voucher is for a reward of another partner."""

    def __init__(self) -> None:
        super().__init__("this voucher is for another partner, and counts there alone")


class OtherStoreError(RedemptionError):
    """The voucher counts in some of the partner's stores alone."""

    def __init__(self, stores: Sequence[str]) -> None:
        super().__init__(
            f"this voucher counts in these stores alone, and the request must say which: {', '.join(stores)}"
        )


class MistypedCodeError(RedemptionError):
    """The code does not check: nobody has such a one."""

    def __init__(self) -> None:
        super().__init__("the code's check character does not fit: read it again, or type it once more")


class VoucherReservedError(RedemptionError):
    """The voucher is reserved, and was not issued yet."""

    def __init__(self) -> None:
        super().__init__("this voucher is only reserved: it counts once it is confirmed")


class OtherAmountError(RedemptionError):
    """Another amount was paid than the voucher costs."""

    def __init__(self, money_minor: int) -> None:
        super().__init__(f"this voucher costs {money_minor} minor units beside its points: confirm it with that amount")


class NotImportedError(RedemptionError):
    """Codes were brought for a reward whose codes are made here."""

    def __init__(self) -> None:
        super().__init__("codes of this reward are made by the programme: bring codes for one whose supply is imported")
