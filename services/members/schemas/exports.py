"""What HTTP says in an export. Everything but hashes, which lead to a person and tell the person nothing."""

from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

from pydantic import ConfigDict, Field

from services.members.domain.data_quality import CheckOutcome, QualityField
from services.members.domain.exports import OwnData, ServiceItems
from services.members.schemas.accesses import AccessAnswer
from services.members.schemas.attributes import AttributeValueAnswer
from services.members.schemas.consents import ConsentAnswer, HistoryAnswer
from services.members.schemas.data_quality import QualityAnswer
from services.members.schemas.fields import AnswerModel
from services.members.schemas.pins import PinChangeAnswer
from services.members.schemas.registry import AddressAnswer
from services.members.schemas.statuses import StatusChangeAnswer
from services.members.schemas.terms import AcceptanceAnswer
from shared.events.members import IdentifierState, MemberStatus


class _FromRows(AnswerModel):
    model_config = ConfigDict(frozen=True, from_attributes=True)


class MembershipData(AnswerModel):
    """The member as the programme knows it."""

    status: MemberStatus
    version: int
    language: str
    region: str | None
    birth_month: int | None
    birth_day: int | None
    enrolled_at: datetime
    enrolled_by: str


class PersonData(_FromRows):
    """The person behind the member."""

    given_name: str
    family_name: str
    email: str
    phone: str | None
    birth_date: date | None
    address: AddressAnswer | None


class IdentifierData(_FromRows):
    """An identifier. Its value is not kept."""

    identifier_id: UUID
    type: str
    state: IdentifierState
    version: int
    linked_at: datetime


class IdentifierChangeData(_FromRows):
    """What happened to an identifier, who said so, and why."""

    identifier_id: UUID
    version: int
    type: str
    action: str
    from_state: str
    to_state: str
    reason_code: str
    author: str
    changed_at: datetime


class FieldCheckData(_FromRows):
    """A value of the person was found to be right or wrong."""

    field: QualityField
    outcome: CheckOutcome
    source: str
    checked_at: datetime
    recorded_at: datetime
    recorded_by: str


class ReferralData(_FromRows):
    """The member was brought, or brought somebody: whom, is that one's affair."""

    is_referrer: bool
    referred_at: datetime


class HouseholdData(_FromRows):
    """Where the member belongs; with ``expires_at`` an invitation. Who else belongs there is their affair."""

    household_id: UUID
    contributes: bool
    may_spend: bool
    shows_purchases: bool
    joined_at: datetime | None
    expires_at: datetime | None
    leaving_policy: str | None
    leaving_notice_days: int | None
    contributed_until: datetime | None


class HouseholdChangeData(_FromRows):
    """What happened to the member in a household."""

    household_id: UUID
    action: str
    contributes: bool
    may_spend: bool
    shows_purchases: bool
    author: str
    changed_at: datetime
    leaving_policy: str
    leaving_notice_days: int
    has_left_points: bool


class ExportAnswer(AnswerModel):
    """Everything that the programme keeps of a member. ``services``: what each of the others answered, item by item."""

    member_id: UUID
    former_ids: list[UUID] = Field(description="Ids that were merged into this one; their data are among these.")
    exported_at: datetime
    membership: MembershipData
    person: PersonData | None
    pin_set_at: datetime | None = Field(description="Since when there is a PIN. What it is, nobody can tell.")
    pin_changes: list[PinChangeAnswer]
    identifiers: list[IdentifierData]
    identifier_changes: list[IdentifierChangeData]
    status_changes: list[StatusChangeAnswer]
    consents: list[ConsentAnswer]
    consent_history: list[HistoryAnswer]
    terms_acceptances: list[AcceptanceAnswer]
    attributes: list[AttributeValueAnswer]
    data_quality: QualityAnswer
    field_checks: list[FieldCheckData]
    referral_code: str | None
    former_referral_codes: list[str] = Field(
        description="Of those who were merged into the member; friends join by them."
    )
    referrals: list[ReferralData]
    households: list[HouseholdData]
    household_changes: list[HouseholdChangeData]
    accesses: list[AccessAnswer] = Field(description="Who saw the person, when, and what for; this export too.")
    services: dict[str, list[dict[str, Any]]]

    @classmethod
    def of(cls, own: OwnData, items: ServiceItems) -> Self:
        """The answer for an export."""
        member, now = own.member, own.exported_at
        return cls(
            member_id=member.member_id,
            former_ids=list(own.former_ids),
            exported_at=now,
            membership=MembershipData(
                status=member.status,
                version=member.version,
                language=member.language,
                region=member.region,
                birth_month=member.birth_month,
                birth_day=member.birth_day,
                enrolled_at=member.enrolled_at,
                enrolled_by=own.enrolled_by,
            ),
            person=_person(own),
            pin_set_at=own.pin_set_at,
            pin_changes=[PinChangeAnswer.of(change) for change in own.pin_changes],
            identifiers=[IdentifierData.model_validate(each) for each in own.identifiers],
            identifier_changes=[IdentifierChangeData.model_validate(each) for each in own.identifier_changes],
            status_changes=[StatusChangeAnswer.of(change) for change in own.status_changes],
            consents=[ConsentAnswer.of(consent) for consent in own.consents],
            consent_history=[HistoryAnswer.of(*statement, now) for statement in own.statements],
            terms_acceptances=[AcceptanceAnswer.of(acceptance) for acceptance in own.acceptances],
            attributes=[AttributeValueAnswer.of(*entry) for entry in own.attributes],
            data_quality=QualityAnswer.of(member.member_id, own.quality),
            field_checks=[FieldCheckData.model_validate(check) for check in own.field_checks],
            referral_code=next(iter(own.referral_codes), None),
            former_referral_codes=list(own.referral_codes[1:]),
            referrals=[ReferralData.model_validate(each) for each in own.referrals],
            households=[HouseholdData.model_validate(place) for place in own.households],
            household_changes=[HouseholdChangeData.model_validate(change) for change in own.household_changes],
            accesses=[AccessAnswer.of(entry) for entry in own.accesses],
            services=items,
        )


def _person(own: OwnData) -> PersonData | None:
    person = own.person
    if person is None:
        return None
    return PersonData(
        given_name=person.given_name,
        family_name=person.family_name,
        email=person.email,
        phone=person.phone,
        birth_date=person.birth_date,
        address=None if person.address is None else AddressAnswer.of(person.address),
    )
