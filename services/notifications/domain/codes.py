"""What a mail with a one-time code says."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

# A message names the version that it was opened with; a published version never changes.
TEMPLATE = "spend_code"
TEMPLATE_VERSION = 1


@dataclass(frozen=True, slots=True)
class Challenge:
    """Points that leave once the member confirms it. ``kind``: for a checkout (hold) or as a gift. ``partner`` is the
    partner's id, or its name where that is known.
    """

    challenge_id: UUID
    kind: str
    key_id: str
    partner: str | None
    point_type: str
    points: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ChallengeOf:
    """A challenge, and whose confirmation it wants."""

    member_id: UUID
    challenge: Challenge
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class CodeToRead:
    """The code, and what it is for. ``repr`` does not show it, so no log can."""

    code: str = field(repr=False)
    kind: str
    partner: str | None
    point_type: str
    points: int
