"""What a mail about a change of a member's PIN says."""

from dataclasses import dataclass
from typing import Literal, TypeAlias
from uuid import UUID

# A message names the version that it was opened with; a published version never changes.
TEMPLATE = "pin_notice"
TEMPLATE_VERSION = 1

PinChangeKind: TypeAlias = Literal["set", "changed", "reset", "locked"]


@dataclass(frozen=True, slots=True)
class PinNotice:
    """What happened to whose PIN. The id of the event that told it is its identity, for good."""

    event_id: UUID
    member_id: UUID
    change: PinChangeKind
    traceparent: str | None
