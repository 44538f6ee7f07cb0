"""What HTTP says of households."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import ConfigDict, Field

from services.members.credentials.invitation_tokens import TOKEN_LENGTH_MAX
from services.members.domain.households import Action, AskedRights, Household, HouseholdChange, Invitation, Rights
from services.members.domain.leaving import NOTICE_DAYS_MAX, TAKES_OWN, LeavingPolicy, LeavingTerms
from services.members.schemas.fields import AnswerModel
from services.members.use_cases.republish_households import HOUSEHOLDS_PER_PAGE_MAX, RepublishedHouseholds
from shared.web import Body, Flag


class LeavingTermsBody(Body):
    """What the member was shown of leaving, and agreed to: the programme's terms in force, as an invitation tells."""

    policy: LeavingPolicy
    notice_days: int = Field(default=0, ge=0, le=NOTICE_DAYS_MAX)


class LeavingTermsAnswer(AnswerModel):
    """What becomes of the unspent points of who leaves.

    ``takes_own``: they are taken along. ``stays_with_household``: what is available stays with the remaining member who
    joined first and may spend, if the leaver contributes, or stopped less than ``notice_days`` before leaving.
    """

    policy: LeavingPolicy
    notice_days: int

    @classmethod
    def of(cls, terms: LeavingTerms) -> Self:
        """The answer for terms."""
        return cls(policy=terms.policy, notice_days=terms.notice_days)


class _AgreeingBody(Body):
    """Whoever comes into a household agrees to what becomes of their points when they leave."""

    leaving: LeavingTermsBody | None = Field(
        default=None, description="What the member agreed to. Absent: to take their own points along, and nothing else."
    )

    def agreed(self) -> LeavingTerms | None:
        """What was sent."""
        return None if self.leaving is None else LeavingTerms(self.leaving.policy, self.leaving.notice_days)


class HouseholdBody(_AgreeingBody):
    """Who founds a household, and what the founder does there."""

    member_id: UUID
    contributes: Flag = Field(default=True, description="Whether the member's purchases earn for all.")
    may_spend: Flag = Field(default=True, description="Whether the member may spend what all earned.")
    shows_purchases: Flag = Field(default=False, description="Whether the others may see the member's purchases.")

    def rights(self) -> Rights:
        """The founder's."""
        return Rights(self.contributes, self.may_spend, self.shows_purchases)


class InvitationBody(Body):
    """Who invites whom, and what the new member is to do there."""

    invited_by: UUID = Field(description="A member of the household, in whose name this is asked.")
    member_id: UUID = Field(description="Who is invited.")
    contributes: Flag = Field(default=True, description="Whether the member's purchases will earn for all.")
    may_spend: Flag = Field(default=True, description="Whether the member will spend what all earned.")


class InvitationAnswer(AnswerModel):
    """An invitation, with the token that accepts it once. It stands here and nowhere else."""

    household_id: UUID
    member_id: UUID
    invited_by: UUID
    contributes: bool
    may_spend: bool
    token: str = Field(repr=False)
    expires_at: datetime
    leaving: LeavingTermsAnswer = LeavingTermsAnswer.of(TAKES_OWN)  # answers that are kept from before tell nothing

    @classmethod
    def of(cls, invitation: Invitation, leaving: LeavingTerms, sealed_token: str) -> Self:
        """The answer for an invitation."""
        return cls(
            household_id=invitation.household_id,
            member_id=invitation.member_id,
            invited_by=invitation.invited_by,
            contributes=invitation.contributes,
            may_spend=invitation.may_spend,
            token=sealed_token,
            expires_at=invitation.expires_at,
            leaving=LeavingTermsAnswer.of(leaving),
        )


class AcceptanceBody(_AgreeingBody):
    """Who accepts, by the token that was made for this member, and whether the others see the member's purchases."""

    member_id: UUID
    token: str = Field(min_length=1, max_length=TOKEN_LENGTH_MAX, repr=False)
    shows_purchases: Flag = Field(default=False, description="Whether the others may see the member's purchases.")


class LeavingBody(Body):
    """Who leaves."""

    member_id: UUID


def _without_defaults(schema: dict[str, Any]) -> None:
    """What is not sent has no default: it stays as it is."""
    for told in schema["properties"].values():
        told.pop("default", None)


class RightsBody(Body):
    """What is to be changed of a member's rights, and in whose name; what is not sent stays."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)

    stated_by: UUID = Field(
        description="The member who wants it: for shows_purchases the member itself, for contributes the member "
        "itself or the household's head, for may_spend the head."
    )
    contributes: Flag = Field(default=False)
    may_spend: Flag = Field(default=False)
    shows_purchases: Flag = Field(default=False)

    def asked(self) -> AskedRights:
        """What was sent."""
        return AskedRights(**self.model_dump(include=self.model_fields_set - {"stated_by"}))


class HouseholdMemberAnswer(AnswerModel):
    """A member's place in a household. ``leaving`` is what the member agreed to on joining."""

    member_id: UUID
    contributes: bool
    may_spend: bool
    shows_purchases: bool
    joined_at: datetime
    leaving: LeavingTermsAnswer


class HouseholdAnswer(AnswerModel):
    """A household as it stands at ``version``, in the order of joining. A dissolved one has no head and no members."""

    household_id: UUID
    version: int
    head_id: UUID | None
    members: list[HouseholdMemberAnswer]

    @classmethod
    def of(cls, household: Household) -> Self:
        """The answer for a household."""
        return cls(
            household_id=household.household_id,
            version=household.version,
            head_id=household.head_id,
            members=[
                HouseholdMemberAnswer(
                    member_id=place.member_id,
                    contributes=place.rights.contributes,
                    may_spend=place.rights.may_spend,
                    shows_purchases=place.rights.shows_purchases,
                    joined_at=place.joined_at,
                    leaving=LeavingTermsAnswer.of(place.leaving),
                )
                for place in household.places
            ],
        )


class HouseholdChangeAnswer(AnswerModel):
    """One entry of a household's history. ``stated_by`` is null where a membership ended.

    ``leaving``: what the member was offered or agreed to. ``heir_id``: with whom the points of who left stay.
    """

    change_id: UUID
    version: int
    action: Action
    member_id: UUID
    contributes: bool
    may_spend: bool
    shows_purchases: bool
    stated_by: UUID | None
    author: str
    changed_at: datetime
    leaving: LeavingTermsAnswer
    heir_id: UUID | None

    @classmethod
    def of(cls, change: HouseholdChange) -> Self:
        """The answer for an entry."""
        return cls(
            change_id=change.change_id,
            version=change.version,
            action=change.action,
            member_id=change.member_id,
            contributes=change.rights.contributes,
            may_spend=change.rights.may_spend,
            shows_purchases=change.rights.shows_purchases,
            stated_by=change.stated_by,
            author=change.author,
            changed_at=change.changed_at,
            leaving=LeavingTermsAnswer.of(change.leaving),
            heir_id=change.heir_id,
        )


class RepublishHouseholdsBody(Body):
    """Which page to tell again. The first has no ``after``; each next one starts after the last answer's."""

    after: UUID | None = Field(default=None, description="last_household_id of the page before.")
    households_max: int = Field(default=HOUSEHOLDS_PER_PAGE_MAX, ge=1, le=HOUSEHOLDS_PER_PAGE_MAX)


class RepublishedHouseholdsAnswer(AnswerModel):
    """What a page told."""

    households: int
    last_household_id: UUID | None = Field(description="Send it as after for the next page; null: none follows.")

    @classmethod
    def of(cls, page: RepublishedHouseholds) -> Self:
        """The answer for a page."""
        return cls(households=page.households, last_household_id=page.last_household_id)
