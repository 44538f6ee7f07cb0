"""``loyalty.members``: who belongs to the programme. No personal data: identifiers are keyed hashes.

Every event carries the ``version`` of its subject, which is raised under the subject's lock: a projection's row changes
only to a higher one. Member, identifier, household and consent are subjects of their own.
"""

from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from pydantic import AwareDatetime, Field, StrictBool, StrictInt

from shared.events.envelope import Code, Event, Frozen, IdentifierHash, Version

MemberStatus = Literal["active", "suspended", "earn_only", "spend_locked", "merged", "closed", "erased"]
IdentifierType = Literal["card", "phone", "token"]
IdentifierState = Literal["issued", "active", "blocked", "lost", "replaced"]


class MemberData(Frozen):
    """A member as others may know it, as it stands at ``version``."""

    member_id: UUID
    version: Version
    status: MemberStatus
    language: str | None = None
    region: str | None = None
    birth_month: Annotated[StrictInt, Field(ge=1, le=12)] | None = None
    birth_day: Annotated[StrictInt, Field(ge=1, le=31)] | None = None
    household_id: UUID | None = None
    enrolled_at: AwareDatetime | None = Field(
        default=None, description="When the member joined; older events do not say."
    )
    referred_by: UUID | None = Field(default=None, description="Of an enrolment: the member who brought this one.")


class StatusData(MemberData):
    """The same after a change of status, and why: a code of the programme, never free text."""

    reason_code: Code


class IdentifierData(Frozen):
    """An identifier and whose it is. ``version`` is the identifier's own."""

    member_id: UUID
    identifier_hash: IdentifierHash
    identifier_type: IdentifierType
    state: IdentifierState
    version: Version
    linked_at: AwareDatetime | None = Field(
        default=None,
        description="When it became somebody's, however often it is told again; older events do not say.",
    )


class RevocationData(IdentifierData):
    """An identifier that counts no more as it did, and why."""

    reason_code: Code


class MergeData(Frozen):
    """``merged_member_id`` is ``member_id`` from now on, for ever. Both versions were raised."""

    member_id: UUID
    version: Version
    merged_member_id: UUID
    merged_version: Version


class HouseholdMember(Frozen):
    """One person's place in a household."""

    member_id: UUID
    contributes: StrictBool
    may_spend: StrictBool
    shows_purchases: StrictBool


class HouseholdLeaver(Frozen):
    """Who left a household whose members' unspent points stay with it: what this one had available at ``left_at``, and
    has still, is ``heir_id``'s from then on. ``member_version`` is the member's, just after leaving.
    """

    member_id: UUID
    member_version: Version
    heir_id: UUID
    left_at: AwareDatetime


class HouseholdData(Frozen):
    """A household as it stands at ``version``: everybody who belongs to it. A dissolved one has nobody.

    ``leaver``: it came to this version because somebody left whose points stay. Nobody's do where it is absent.
    """

    household_id: UUID
    version: Version
    members: tuple[HouseholdMember, ...]
    leaver: HouseholdLeaver | None = None


class ConsentData(Frozen):
    """What a member allows for one purpose, over one channel, to one partner (absent: the programme)."""

    member_id: UUID
    version: Version
    purpose: Code
    channel: Code
    partner_id: Code | None = None
    is_granted: StrictBool
    text_version: Code
    stated_at: AwareDatetime


class AttributeData(Frozen):
    """An attribute that the programme has declared, and whose values are told: none that is personal or free text."""

    code: Code
    version: Version
    value_type: Literal["number", "boolean", "date", "choice"]
    choices: tuple[str, ...] = ()


class AttributeOfMemberData(Frozen):
    """What a member has under an attribute: ``says`` is its canonical text; absent: nothing any more.

    ``version`` is of this member's value under this attribute.
    """

    member_id: UUID
    version: Version
    code: Code
    says: str | None = None


class ErasureData(Frozen):
    """Everything that may still lead to a person who is erased: delete it, hashes too, in this event's transaction."""

    member_id: UUID
    version: Version
    identifier_hashes: tuple[IdentifierHash, ...]


class PinData(Frozen):
    """What happened to a member's PIN; not what it is. ``version`` counts this member's changes."""

    member_id: UUID
    version: Version
    change: Literal["set", "changed", "reset", "locked"]


class ContactData(Frozen):
    """That a member is written to somewhere else, since when; not where. ``version`` is the member's."""

    member_id: UUID
    version: Version
    changed_at: AwareDatetime


class KeyData(Frozen):
    """A key that identifiers were hashed with, by the version that their hashes begin with. It is retired once."""

    key_version: Annotated[StrictInt, Field(ge=1)]
    version: Version


class MemberEnrolled(Event):
    """Someone joined the programme."""

    type: Literal["loyalty.member.enrolled.v1"] = "loyalty.member.enrolled.v1"
    data: MemberData


class MemberChanged(Event):
    """Attributes changed, or the present state is told again."""

    type: Literal["loyalty.member.changed.v1"] = "loyalty.member.changed.v1"
    data: MemberData


class MemberStatusChanged(Event):
    """What a member may do has changed."""

    type: Literal["loyalty.member_status.changed.v1"] = "loyalty.member_status.changed.v1"
    data: StatusData


class IdentifierLinked(Event):
    """An identifier now belongs to a member; receipts that waited for it can be credited."""

    type: Literal["loyalty.identifier.linked.v1"] = "loyalty.identifier.linked.v1"
    data: IdentifierData


class IdentifierRevoked(Event):
    """An identifier was blocked, lost or replaced: it spends nothing any more."""

    type: Literal["loyalty.identifier.revoked.v1"] = "loyalty.identifier.revoked.v1"
    data: RevocationData


class IdentifierKeyRetired(Event):
    """A key is retired: every identifier has a hash under another one, and those of this one are to be deleted."""

    type: Literal["loyalty.identifier_key.retired.v1"] = "loyalty.identifier_key.retired.v1"
    data: KeyData


class MembersMerged(Event):
    """Two members turned out to be one person."""

    type: Literal["loyalty.members.merged.v1"] = "loyalty.members.merged.v1"
    data: MergeData


class HouseholdChanged(Event):
    """A household was founded, or somebody joined, left or got other rights."""

    type: Literal["loyalty.household.changed.v1"] = "loyalty.household.changed.v1"
    data: HouseholdData


class ConsentChanged(Event):
    """A member gave or withdrew a consent."""

    type: Literal["loyalty.consent.changed.v1"] = "loyalty.consent.changed.v1"
    data: ConsentData


class AttributeDeclared(Event):
    """An attribute was declared, for ever."""

    type: Literal["loyalty.attribute.declared.v1"] = "loyalty.attribute.declared.v1"
    data: AttributeData


class MemberAttributeChanged(Event):
    """A member has another value under an attribute that is told, or none any more."""

    type: Literal["loyalty.member_attribute.changed.v1"] = "loyalty.member_attribute.changed.v1"
    data: AttributeOfMemberData


class PinChanged(Event):
    """A PIN was set, changed or reset, or so many wrong ones were tried that it is locked for a time."""

    type: Literal["loyalty.pin.changed.v1"] = "loyalty.pin.changed.v1"
    data: PinData


class ContactChanged(Event):
    """The e-mail address became another one. A first address is none; told again it bears the same time."""

    type: Literal["loyalty.contact.changed.v1"] = "loyalty.contact.changed.v1"
    data: ContactData


class MemberErased(Event):
    """A person's data were erased."""

    type: Literal["loyalty.member.erased.v1"] = "loyalty.member.erased.v1"
    data: ErasureData


# Each tells the member as it stands at its version.
MemberStated: TypeAlias = MemberEnrolled | MemberChanged | MemberStatusChanged

MemberEvent = Annotated[
    MemberEnrolled
    | MemberChanged
    | MemberStatusChanged
    | IdentifierLinked
    | IdentifierRevoked
    | IdentifierKeyRetired
    | MembersMerged
    | HouseholdChanged
    | ConsentChanged
    | AttributeDeclared
    | MemberAttributeChanged
    | PinChanged
    | ContactChanged
    | MemberErased,
    Field(discriminator="type"),
]
