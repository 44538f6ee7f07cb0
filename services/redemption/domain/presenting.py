"""How a member was named at a till, and whether that is enough to spend so many points."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from services.redemption.domain.errors import OtherMembersCodeError, OtherSessionError
from shared.identifier_capabilities import Capability
from shared.qr_tokens import HOLD_CLOCK_TOLERANCE, QrToken

PresentingReason: TypeAlias = Literal[
    "identifier_may_not_spend", "identifier_spends_less", "code_needed", "session_spent"
]


@dataclass(frozen=True, slots=True)
class Presented:
    """What was shown: an identifier with what it may do (None: the caller vouches for the member by id), the QR token
    where it was one, and a QR token as code beside it. ``session_id`` is what the till says it is about.
    """

    capability: Capability | None = None
    token: QrToken | None = None
    code: QrToken | None = None
    session_id: UUID | None = None

    @property
    def session(self) -> UUID | None:
        """The till conversation that this hold belongs to, as the token or the code names it."""
        shown = self.token or self.code
        return None if shown is None else shown.session_id

    def session_with(self, quoted: UUID | None) -> UUID | None:
        """The till conversation of a hold by a quote of such a one: the shown token's, else what both or one say.

        Raises:
            OtherSessionError: the till says another one than the quote's.
        """
        if self.session is not None:
            return self.session
        if None not in (self.session_id, quoted) and self.session_id != quoted:
            raise OtherSessionError
        return self.session_id or quoted

    def require_fresh(self, now: datetime) -> None:
        """Whether what was shown counts now, and is about this conversation.

        Raises:
            InvalidQrTokenError: a token has expired.
            OtherSessionError: the till's session is not the token's.
        """
        for shown in (self.token, self.code):
            if shown is None:
                continue
            shown.require(now, HOLD_CLOCK_TOLERANCE)
            if self.session_id not in (None, shown.session_id):
                raise OtherSessionError
        if self.token is not None and self.code is not None and self.token.session_id != self.code.session_id:
            raise OtherSessionError

    def require_same_member(self, member_id: UUID) -> None:
        """Raises OtherMembersCodeError where the code is another member's than the identifier."""
        if self.code is not None and self.code.member_id != member_id:
            raise OtherMembersCodeError


NOTHING_SHOWN = Presented()


def why_not_presented(presented: Presented, points: int, *, is_session_spent: bool) -> PresentingReason | None:
    """Why what was shown does not spend so many points; None where it does."""
    if is_session_spent:
        return "session_spent"
    capability = presented.capability
    if capability is None:
        return None
    if capability.spend_points_max == 0:
        return "identifier_may_not_spend"
    if capability.spends_with_code_only and presented.code is None and presented.token is None:
        return "code_needed"
    if capability.spend_points_max is not None and points > capability.spend_points_max:
        return "identifier_spends_less"
    return None
