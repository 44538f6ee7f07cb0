"""Why a request about a redemption cannot be done. Nothing was changed when one of these is raised."""

from services.redemption.domain.redemption import State


class RedemptionError(Exception):
    """A request that the state of things refuses."""


class UnknownMemberError(RedemptionError):
    """No member bears this id, or this identifier belongs to nobody."""

    def __init__(self) -> None:
        super().__init__("no member is known by this: check it, or try again if the member enrolled just now")


class UnknownRedemptionError(RedemptionError):
    """No redemption bears this id, or it is another partner's."""

    def __init__(self) -> None:
        super().__init__("there is no such redemption, or it belongs to another partner: check the id")


class FactsBehindError(RedemptionError):
    """So many points are not reserved while what is known of members may be out of date."""

    def __init__(self, points_max: int) -> None:
        super().__init__(
            f"what is known of members is not up to date, so only {points_max} points may be reserved at once: "
            "try again in a moment, or reserve fewer"
        )


class RedemptionIdTakenError(RedemptionError):
    """The till's redemption id already stands for something else."""

    def __init__(self) -> None:
        super().__init__("this redemption id stands for another hold already: make a new one for each checkout")


class AlreadyCapturedError(RedemptionError):
    """A receipt already paid with this redemption: there is nothing left to reserve."""

    def __init__(self) -> None:
        super().__init__("a receipt has been paid with this redemption already: nothing was reserved")


class HoldNotOpenError(RedemptionError):
    """The hold was captured, let go, expired or refused before."""

    def __init__(self, state: State) -> None:
        super().__init__(f"nothing is reserved any more: the redemption is {state.value}")
        self.state = state


class ExceedsHoldError(RedemptionError):
    """More points were asked for than are still reserved."""

    def __init__(self, asked_points: int, open_points: int) -> None:
        super().__init__(f"{asked_points} points were asked for, {open_points} are reserved")
        self.open_points = open_points


class UnknownReceiptError(Exception):
    """Nobody has read a receipt under this key."""

    def __init__(self) -> None:
        super().__init__("nobody has read a receipt under this key: post it first, or ask again in a moment")


class ReceiptNotKeptError(Exception):
    """What the receipt sold is not kept any more."""

    def __init__(self) -> None:
        super().__init__("what this receipt sold is not kept any more, so nobody can say what comes back for it")


class PointsMovedOnError(Exception):
    """Points that had paid for exchanged goods pay for these by now: that is for a person."""

    def __init__(self) -> None:
        super().__init__("points had paid for the goods that these were exchanged for: a person says what comes back")


class GoodsUnknownNowError(Exception):
    """No points are known to be in the receipt, and who knows what it sold does not answer."""

    def __init__(self) -> None:
        super().__init__("what this receipt sold could not be asked just now: ask again in a moment")


class ReceiptUnreadError(Exception):
    """Points paid for some of the receipt, and what it sold has not been read here yet."""

    def __init__(self) -> None:
        super().__init__("points paid for some of this receipt, and it has not been read yet: ask again in a moment")


class ReceiptVoidedError(RedemptionError):
    """The receipt that is to take points was voided: the sale never was."""

    def __init__(self) -> None:
        super().__init__("this receipt was voided, and takes no points: let the hold go, or name another receipt")


class OtherSessionError(RedemptionError):
    """A QR token or a quote is of one till conversation, and the request says another one."""

    def __init__(self) -> None:
        super().__init__("the QR token or the quote belongs to another session: send its own, or ask for a new one")


class OtherMembersCodeError(RedemptionError):
    """The code beside an identifier is another member's."""

    def __init__(self) -> None:
        super().__init__("the code is not of the member that the identifier names")


class MayNotSeeBalanceError(RedemptionError):
    """What was shown at the till is not enough to be told a balance."""

    def __init__(self) -> None:
        super().__init__("this identifier, entered this way, may not see the balance: ask for a card or a QR token")


class NotShownError(RedemptionError):
    """The member shows its purchases to nobody of this household, or the reader does not belong to it."""

    def __init__(self) -> None:
        super().__init__("the member shows this reader no purchases: both must belong to the household, and it agree")


class IdentifierRevokedError(RedemptionError):
    """The identifier was blocked, lost or replaced."""

    def __init__(self) -> None:
        super().__init__("this identifier is blocked, lost or replaced: use another of the member's")


class QuoteNeededError(RedemptionError):
    """Write-off rules are in force: what they allow of a basket, only a quote has looked at."""

    def __init__(self) -> None:
        super().__init__("write-off rules are in force: ask for a quote of the basket first, and name its quote_id")


class UnknownQuoteError(RedemptionError):
    """The quote is another member's or partner's, was forgotten, or never was."""

    def __init__(self) -> None:
        super().__init__("no such quote of this member at this partner: ask for a new one")


class NotQuotedError(RedemptionError):
    """The quote allows no hold of so many points."""

    def __init__(self, points: int, quoted_points: int) -> None:
        super().__init__(
            f"{points} points were not quoted: at most {quoted_points} are, or ask for a quote with points={points}"
        )


class PriceChangedError(RedemptionError):
    """The quote has expired, or an article has got a floor that it does not keep, and the same points pay another
    amount now, or other lines; ``points_now`` may be fewer, too."""

    def __init__(
        self,
        points: int,
        quoted_value_minor: int,
        points_now: int,
        value_minor_now: int,
        *,
        is_by_floor: bool = False,
    ) -> None:
        why = "one of its articles has a price floor by now" if is_by_floor else "it has expired"
        super().__init__(
            f"the price of the quote has changed, since {why}: {points} points paid {quoted_value_minor} minor units, "
            f"now {points_now} pay {value_minor_now}; ask for a new quote"
        )
        self.points = points
        self.quoted_value_minor = quoted_value_minor
        self.points_now = points_now
        self.value_minor_now = value_minor_now
        self.is_by_floor = is_by_floor
