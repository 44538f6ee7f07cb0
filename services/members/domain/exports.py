"""An export: everything that the programme keeps of a member, complete or not given."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from services.members.domain.accesses import AccessEntry
from services.members.domain.attributes import Attribute, Entry
from services.members.domain.consents import Confirmation, Consent, Statement
from services.members.domain.data_quality import FieldCheck, Quality
from services.members.domain.pins import PinChange
from services.members.domain.registry import Member, Person
from services.members.domain.statuses import StatusChange
from services.members.domain.terms import Acceptance
from shared.events.members import IdentifierState

# What one service may add to an export, so that a process that makes a few at once keeps within its memory.
EXPORT_BYTES_MAX = 16 * 1024 * 1024
ROWS_OF_A_KIND_MAX = 10_000

ServiceItems: TypeAlias = dict[str, list[dict[str, Any]]]


class ServiceUnavailableError(Exception):
    """A service did not say what it keeps: no export is given."""

    def __init__(self, service: str, what: str) -> None:
        super().__init__(f"{service} {what}. An export is complete or not given: ask again when {service} answers.")
        self.service = service


class ExportTooLargeError(Exception):
    """There is more than one answer may hold."""

    def __init__(self, where: str) -> None:
        super().__init__(
            f"{where} keeps more of this member than an export may hold: read it page by page, in each service at "
            "GET /v1/members/{id}/data."
        )


class ExportBusyError(Exception):
    """As many exports are being made as this process makes at a time."""


class MemberMovedError(Exception):
    """The member was merged while the export was made."""


@dataclass(frozen=True, slots=True)
class KeptIdentifier:
    """An identifier without what leads to it: its value is not kept, and its hash is nothing to anybody."""

    identifier_id: UUID
    type: str
    state: IdentifierState
    version: int
    linked_at: datetime


@dataclass(frozen=True, slots=True)
class IdentifierChange:
    """What happened to an identifier."""

    identifier_id: UUID
    version: int
    type: str
    action: str
    from_state: str
    to_state: str
    reason_code: str
    author: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Referral:
    """One member brought another one; whom, is the other one's affair."""

    is_referrer: bool
    referred_at: datetime


@dataclass(frozen=True, slots=True)
class HouseholdPlace:
    """Where the member belongs, or may: ``expires_at`` is that of an invitation. Not who else belongs there.

    ``leaving_policy`` and ``leaving_notice_days`` are what the member agreed to; of an invitation there is nothing yet.
    """

    household_id: UUID
    contributes: bool
    may_spend: bool
    shows_purchases: bool
    joined_at: datetime | None
    expires_at: datetime | None
    leaving_policy: str | None
    leaving_notice_days: int | None
    contributed_until: datetime | None


@dataclass(frozen=True, slots=True)
class PlaceChange:
    """What happened to the member in a household, and which client said so. ``has_left_points``: what the member had
    stayed there."""

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


@dataclass(frozen=True, slots=True)
class OwnData:
    """What members itself keeps: of the member, and of those whom it answers for since a merge (``former_ids``)."""

    former_ids: Sequence[UUID]
    member: Member
    enrolled_by: str
    person: Person | None
    pin_set_at: datetime | None
    pin_changes: Sequence[PinChange]
    identifiers: Sequence[KeptIdentifier]
    identifier_changes: Sequence[IdentifierChange]
    status_changes: Sequence[StatusChange]
    consents: Sequence[Consent]
    statements: Sequence[tuple[Statement, Confirmation | None]]
    acceptances: Sequence[Acceptance]
    attributes: Sequence[tuple[Attribute, Entry]]
    quality: Quality
    field_checks: Sequence[FieldCheck]
    referral_codes: Sequence[str]
    referrals: Sequence[Referral]
    households: Sequence[HouseholdPlace]
    household_changes: Sequence[PlaceChange]
    accesses: Sequence[AccessEntry]
    exported_at: datetime
