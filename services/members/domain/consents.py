"""What a member allows, by purpose, channel and partner: what was said, and what holds.

Statements are facts and are all kept. What holds follows from them alone, in whatever order they arrive: the one that
was made last, and of two made at the same moment the withdrawal. A grant over a channel that has to be confirmed counts
from its confirmation, but keeps its place: a withdrawal made after it stands, however late the confirmation.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from services.members.domain.registry import FIRST_VERSION, Member
from services.members.domain.statement_errors import (
    ConfirmationExpiredError,
    ConfirmationUnknownError,
    ConfirmationUsedError,
    ConsentSupersededError,
)
from services.members.domain.statuses import judge_open

# An address that somebody typed may be another person's: only who reads the letter can say that it is theirs.
CONFIRMED_CHANNELS = frozenset({"email"})

# Who says so when an address that consents were confirmed for is another one: nobody has said anything.
ADDRESS_CORRECTED = "address-corrected"

Outcome: TypeAlias = Literal["in_effect", "pending", "outdated"]
ConfirmationState: TypeAlias = Literal["awaited", "confirmed", "superseded"]


@dataclass(frozen=True, slots=True)
class ConsentKey:
    """Whose consent, and to what. ``partner_id`` is None for the programme itself."""

    member_id: UUID
    purpose: str
    channel: str
    partner_id: str | None


@dataclass(frozen=True, slots=True)
class ConsentText:
    """The wording that was put before a member. It never changes: a change is another version."""

    purpose: str
    channel: str
    text_version: str
    language: str
    wording: str


@dataclass(frozen=True, slots=True)
class Statement:
    """What a member said, when, where, and before which text. ``proof`` refers to a record kept elsewhere."""

    statement_id: UUID
    key: ConsentKey
    is_granted: bool
    text_version: str
    language: str
    source: str
    proof: str | None
    stated_at: datetime
    recorded_at: datetime
    recorded_by: str

    @property
    def precedence(self) -> tuple[datetime, bool, str, str]:
        """What decides between two statements on the same consent, whichever arrives first."""
        return (self.stated_at, not self.is_granted, self.text_version, self.language)


@dataclass(frozen=True, slots=True)
class Consent:
    """What holds, and the statement that it follows from. ``version`` rises with every change that is published."""

    statement: Statement
    version: int


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a pending statement waits for: somebody who presents the token. Only the token's digest is kept."""

    statement: Statement
    token_sha256: bytes
    expires_at: datetime
    state: ConfirmationState


def judge_speaker(member: Member, *, is_granted: bool) -> None:
    """Whether this member may say so. Who left gives no consent, and may withdraw; of who was erased nothing is kept.

    Raises:
        MemberGoneError: merged, closed or erased.
    """
    if is_granted or member.status == "erased":
        judge_open(member.status)


def outcome_of(statement: Statement, present: Consent | None, awaited: Statement | None) -> Outcome:
    """What becomes of a new statement, beside what holds and what waits for its confirmation.

    The same pending statement once more waits anew: its token may have been lost on the way.
    """
    if present is not None and statement.precedence <= present.statement.precedence:
        return "outdated"
    if not needs_confirmation(statement):
        return "in_effect"
    return "outdated" if awaited is not None and statement.precedence < awaited.precedence else "pending"


def needs_confirmation(statement: Statement) -> bool:
    """Whether the statement counts only once it is confirmed. A withdrawal never waits."""
    return statement.is_granted and statement.key.channel in CONFIRMED_CHANNELS


def ends_waiting(statement: Statement, awaited: Statement) -> bool:
    """Whether a statement that was taken (in effect or pending) makes an earlier pending one pointless."""
    return statement.precedence >= awaited.precedence


def in_effect(statement: Statement, present: Consent | None) -> Consent:
    """The consent that follows from a statement which came to count."""
    return Consent(statement, FIRST_VERSION if present is None else present.version + 1)


def judge_confirmation(confirmation: Confirmation | None, present: Consent | None, now: datetime) -> Confirmation:
    """The confirmation, settled, where its token may be used.

    Raises:
        ConfirmationUnknownError, ConfirmationUsedError, ConsentSupersededError, ConfirmationExpiredError: it may not.
    """
    if confirmation is None:
        raise ConfirmationUnknownError("no consent waits for this token: check that it was copied whole")
    if confirmation.state == "confirmed":
        raise ConfirmationUsedError("the token was used already: the consent is confirmed")
    if confirmation.state == "superseded" or (
        present is not None and confirmation.statement.precedence <= present.statement.precedence
    ):
        raise ConsentSupersededError("the member has said something newer since: the consent has to be given again")
    if now >= confirmation.expires_at:
        raise ConfirmationExpiredError("the token has expired: the consent has to be given again")
    return replace(confirmation, state="confirmed")


def withdrawn_with_address(statement: Statement, statement_id: UUID, now: datetime, author: str) -> Statement:
    """What takes a consent back whose address is another one now: nobody has shown that the new one is theirs.

    It outdoes the grant, whose time may be this moment.
    """
    return replace(
        statement,
        statement_id=statement_id,
        is_granted=False,
        source=ADDRESS_CORRECTED,
        proof=None,
        stated_at=max(now, statement.stated_at),
        recorded_at=now,
        recorded_by=author,
    )
