"""What HTTP says: requests, strictly read, and answers. No answer that is stored for a retry holds personal data."""

from datetime import date, datetime
from typing import Annotated, Self, TypeAlias
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from services.members.domain.registry import Address, Identifier, IdentifierKind, Member, Person
from shared.events.members import IdentifierState, MemberStatus
from shared.ids import TOKEN_LENGTH_MAX
from shared.web import Body

NAME_LENGTH_MAX = 100
EMAIL_ADDRESS_LENGTH_MAX = 254
PHONE_LENGTH_MAX = 40
IDENTIFIERS_MAX = 10
ADDRESS_LINES_MAX = 3
ADDRESS_LINE_LENGTH_MAX = 100
POSTAL_CODE_LENGTH_MAX = 12
BIRTH_DATE_MIN = date(1900, 1, 1)


def _valid_email(value: str) -> str:
    try:
        return validate_email(value.strip(), check_deliverability=False).normalized
    except EmailNotValidError:
        # Its own words would repeat parts of what was sent.
        raise PydanticCustomError("email", "Input should be an e-mail address, as name@example.com") from None


Name: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_LENGTH_MAX)]
Email: TypeAlias = Annotated[
    str,
    Field(max_length=EMAIL_ADDRESS_LENGTH_MAX, json_schema_extra={"format": "email"}),
    AfterValidator(_valid_email),
]
Phone: TypeAlias = Annotated[str, Field(min_length=1, max_length=PHONE_LENGTH_MAX)]
BirthDate: TypeAlias = Annotated[date, Field(ge=BIRTH_DATE_MIN, description="Not after today.")]
AddressLine: TypeAlias = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=ADDRESS_LINE_LENGTH_MAX)
]
Language: TypeAlias = Annotated[
    str,
    Field(
        pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$",
        max_length=35,
        description="A BCP 47 tag.",
        examples=["en-US"],
    ),
]
Region: TypeAlias = Annotated[
    str,
    Field(
        pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$",
        description="A country or its subdivision, ISO 3166.",
        examples=["US-NY"],
    ),
]


class IdentifierBody(Body):
    """What a till reads."""

    type: IdentifierKind
    value: str = Field(
        min_length=1,
        max_length=TOKEN_LENGTH_MAX,
        repr=False,
        description="A card's letters and digits; a phone, in the programme's country or with its prefix; a token.",
    )


class AddressBody(Body):
    """Where post reaches a person."""

    lines: list[AddressLine] = Field(min_length=1, max_length=ADDRESS_LINES_MAX, repr=False)
    postal_code: (
        Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=POSTAL_CODE_LENGTH_MAX)] | None
    ) = Field(default=None, repr=False)
    city: Name = Field(repr=False)
    country: str = Field(pattern=r"^[A-Z]{2}$", description="ISO 3166.", examples=["US"], repr=False)

    def address(self) -> Address:
        """The address as the registry keeps it."""
        return Address(tuple(self.lines), self.city, self.country, self.postal_code)


class PersonBody(Body):
    """Who somebody is. The phone is for contact."""

    given_name: Name = Field(repr=False)
    family_name: Name = Field(repr=False)
    email: Email = Field(repr=False)
    phone: Phone | None = Field(default=None, repr=False)
    birth_date: BirthDate | None = Field(default=None, repr=False)
    address: AddressBody | None = Field(default=None, repr=False)


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class IdentifierAnswer(_Answer):
    """An identifier by its keyed hash: the value itself is not kept."""

    member_id: UUID
    type: IdentifierKind
    identifier_hash: str
    state: IdentifierState
    version: int
    linked_at: datetime

    @classmethod
    def of(cls, identifier: Identifier) -> Self:
        """The answer for an identifier."""
        return cls(
            member_id=identifier.member_id,
            type=identifier.type,
            identifier_hash=identifier.hash,
            state=identifier.state,
            version=identifier.version,
            linked_at=identifier.linked_at,
        )


class EnrolmentAnswer(_Answer):
    """A new member. It names no person: this answer is kept for retries."""

    member_id: UUID
    status: MemberStatus
    version: int
    enrolled_at: datetime
    identifiers: list[IdentifierAnswer]

    @classmethod
    def of(cls, member: Member, identifiers: list[Identifier]) -> Self:
        """The answer for a member who was just enrolled."""
        return cls(
            member_id=member.member_id,
            status=member.status,
            version=member.version,
            enrolled_at=member.enrolled_at,
            identifiers=[IdentifierAnswer.of(identifier) for identifier in identifiers],
        )


class AddressAnswer(_Answer):
    """Where post reaches a person."""

    lines: list[str]
    postal_code: str | None
    city: str
    country: str

    @classmethod
    def of(cls, address: Address) -> Self:
        """The answer for an address."""
        return cls(
            lines=list(address.lines), postal_code=address.postal_code, city=address.city, country=address.country
        )


class MemberAnswer(_Answer):
    """A member and the person behind it; without one where a card joined first and nobody has said whose it is."""

    member_id: UUID
    status: MemberStatus
    version: int
    enrolled_at: datetime
    given_name: str | None
    family_name: str | None
    email: str | None
    phone: str | None
    birth_date: date | None
    address: AddressAnswer | None
    language: str
    region: str | None
    household_id: UUID | None
    identifiers: list[IdentifierAnswer]

    @classmethod
    def of(cls, member: Member, person: Person | None, identifiers: list[Identifier]) -> Self:
        """The answer for a member."""
        return cls(
            member_id=member.member_id,
            status=member.status,
            version=member.version,
            enrolled_at=member.enrolled_at,
            given_name=None if person is None else person.given_name,
            family_name=None if person is None else person.family_name,
            email=None if person is None else person.email,
            phone=None if person is None else person.phone,
            birth_date=None if person is None else person.birth_date,
            address=None if person is None or person.address is None else AddressAnswer.of(person.address),
            language=member.language,
            region=member.region,
            household_id=member.household_id,
            identifiers=[IdentifierAnswer.of(identifier) for identifier in identifiers],
        )


class NameAnswer(_Answer):
    """How a cashier greets a member, and knows who is meant: not the whole of the family name."""

    given_name: str
    family_initial: str

    @classmethod
    def of(cls, person: Person) -> Self:
        """The answer for a person."""
        return cls(given_name=person.given_name, family_initial=person.family_name[:1])


class ContactAnswer(_Answer):
    """Where and how to write to a member, and nothing more."""

    member_id: UUID
    status: MemberStatus
    given_name: str
    email: str
    language: str

    @classmethod
    def of(cls, member: Member, person: Person) -> Self:
        """The answer for a member."""
        return cls(
            member_id=member.member_id,
            status=member.status,
            given_name=person.given_name,
            email=person.email,
            language=member.language,
        )
