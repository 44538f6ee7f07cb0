"""What HTTP says of privileges: their terms, what people made of them, and what they give of a basket."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from services.redemption.domain.privileges.life import Privilege
from services.redemption.domain.privileges.terms import Benefit, PrivilegeTerms
from services.redemption.repository.privilege_grants import Grant
from services.redemption.repository.privilege_limits import Reservation
from services.redemption.schemas.answer import Answer
from services.redemption.schemas.identifiers import ShownIdentifierBody
from services.redemption.schemas.quotes import LINES_MAX, BasketLineBody
from services.redemption.use_cases.check_privileges import Applied, Checked
from shared.web import Body, CodeText, Text

RESERVED_MAX = 50


class PrivilegeBody(PrivilegeTerms, Body):
    """A privilege to be proposed. Its id is yours to make, and its terms never change once they stand."""

    def terms(self) -> PrivilegeTerms:
        """The terms as the domain has them."""
        return PrivilegeTerms.model_validate(self.model_dump())


class EndBody(Body):
    """Why, in words for those who read it later. They name no person."""

    reason: Text


class GrantBody(Body):
    """Until when the member has what is granted."""

    last_day: date | None = Field(
        default=None, description="Left out: as long as the privilege is given. A day that is over takes it back."
    )


class PrivilegeAnswer(Answer):
    """A privilege: its terms, who proposed, approved and ended it, and when. ``ended``: nobody has it since."""

    terms: PrivilegeTerms
    state: Literal["proposed", "approved", "dropped", "ended"]
    proposed_by: str
    proposed_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    ended_by: str | None
    ended_at: datetime | None
    end_reason: str | None

    @classmethod
    def of(cls, privilege: Privilege) -> Self:
        """The answer for a privilege."""
        is_ended = privilege.state == "approved" and privilege.ended_at is not None
        return cls(
            terms=privilege.terms,
            state="ended" if is_ended else privilege.state,
            proposed_by=privilege.proposed_by,
            proposed_at=privilege.proposed_at,
            approved_by=privilege.approved_by,
            approved_at=privilege.approved_at,
            ended_by=privilege.ended_by,
            ended_at=privilege.ended_at,
            end_reason=privilege.end_reason,
        )


class GrantAnswer(Answer):
    """An offer that is granted to a member; of one who was merged away to the survivor."""

    privilege_id: str
    member_id: UUID
    last_day: date | None

    @classmethod
    def of(cls, grant: Grant) -> Self:
        """The answer for a grant."""
        return cls(privilege_id=grant.privilege_id, member_id=grant.member_id, last_day=grant.last_day)


class AtTillBody(Body):
    """Whose privileges, and at which till. The member is named by id or by what the till has read."""

    member_id: UUID | None = None
    identifier: ShownIdentifierBody | None = None
    partner_id: CodeText | None = Field(
        default=None, description="At which partner. Needed from the programme's own clients; others may leave it out."
    )
    store_id: CodeText | None = Field(default=None, description="In which store. A till's own is known.")

    @model_validator(mode="after")
    def _names_one_member(self) -> Self:
        if (self.member_id is None) == (self.identifier is None):
            raise PydanticCustomError("one_member", "Name the member by member_id or by identifier: one of the two")
        return self


class CheckBody(AtTillBody):
    """What is the member entitled to? Without ``lines`` discounts give nothing yet."""

    currency: CodeText | None = Field(default=None, description="Of the amounts: the programme's own, or left out.")
    session_id: UUID | None = Field(
        default=None, description="The till conversation: what it has reserved is left to it. A QR token has its own."
    )
    lines: Annotated[tuple[BasketLineBody, ...], Field(max_length=LINES_MAX)] = ()

    @model_validator(mode="after")
    def _names_each_line_once(self) -> Self:
        if len({line.line_id for line in self.lines}) != len(self.lines):
            raise PydanticCustomError("line_twice", "Line ids name lines: each may stand once")
        return self


class ReserveBody(AtTillBody):
    """Keep one use of each of these privileges for this till conversation, whose receipt will carry its id."""

    session_id: UUID = Field(description="The till conversation, as the receipt will name it.")
    privilege_ids: Annotated[tuple[CodeText, ...], Field(min_length=1, max_length=RESERVED_MAX)]


class ReservedAnswer(Answer):
    """What is kept for the conversation until its receipt comes, or until ``expires_at`` without one."""

    session_id: UUID
    member_id: UUID
    privilege_ids: list[str]
    expires_at: datetime

    @classmethod
    def of(cls, kept: Sequence[Reservation]) -> Self:
        """The answer for what was reserved, which is something."""
        first = kept[0]
        return cls(
            session_id=first.session_id,
            member_id=first.member_id,
            privilege_ids=[one.privilege_id for one in kept],
            expires_at=first.expires_at,
        )


class LinePartAnswer(Answer):
    """What a privilege takes off a line."""

    line_id: int
    amount_minor: int


class AppliedAnswer(Answer):
    """A privilege that the member has here now. ``lines`` add up to ``amount_minor``, which is zero where nothing is
    taken off. ``uses_left``: null where it is not limited."""

    privilege_id: str
    name: str
    benefit: Benefit
    amount_minor: int
    lines: list[LinePartAnswer]
    uses_left: int | None

    @classmethod
    def of(cls, applied: Applied) -> Self:
        """The answer for a privilege."""
        terms, given, uses_left = applied
        lines = () if given is None else given.lines
        return cls(
            privilege_id=terms.privilege_id,
            name=terms.name,
            benefit=terms.benefit,
            amount_minor=0 if given is None else given.amount_minor,
            lines=[LinePartAnswer(line_id=part.line_id, amount_minor=part.amount_minor) for part in lines],
            uses_left=uses_left,
        )


class WithheldAnswer(Answer):
    """A privilege that the member has and that is not given.

    ``no_uses_left``: it was used, or is reserved, as often as it may be. ``outdone``: another
    one of its group gives more. ``nothing_to_take_off``: no such goods, too few of them, or at their floor already.
    """

    privilege_id: str
    reason: Literal["no_uses_left", "outdone", "nothing_to_take_off"]


class LineLeftAnswer(Answer):
    """What is left to be paid of a line: what points may pay of is asked with this amount."""

    line_id: int
    left_minor: int


class CheckAnswer(Answer):
    """What the member has here now, by order and id, what that takes off the basket, and what is left."""

    member_id: UUID
    privileges: list[AppliedAnswer]
    withheld: list[WithheldAnswer]
    amount_minor: int
    lines: list[LineLeftAnswer]

    @classmethod
    def of(cls, checked: Checked) -> Self:
        """The answer for what was found."""
        discounted = checked.discounted
        withheld = [WithheldAnswer(privilege_id=one, reason="no_uses_left") for one in checked.spent]
        withheld += [WithheldAnswer(privilege_id=one, reason="outdone") for one in discounted.outdone]
        withheld += [WithheldAnswer(privilege_id=one, reason="nothing_to_take_off") for one in discounted.idle]
        return cls(
            member_id=checked.member.member_id,
            privileges=[AppliedAnswer.of(one) for one in checked.applied],
            withheld=sorted(withheld, key=lambda one: one.privilege_id),
            amount_minor=sum(given.amount_minor for given in discounted.given),
            lines=[LineLeftAnswer(line_id=line_id, left_minor=left) for line_id, left in discounted.left_minor.items()],
        )
