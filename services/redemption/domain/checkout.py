"""What a till is answered about one sale, part by part. Pure."""

from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

Part: TypeAlias = Literal["member", "name", "privileges", "earn", "spend", "message"]


class Absent(NamedTuple):
    """A part that is not in the answer, and why: ``late``, ``away``, ``failed``, or what it was decided by."""

    part: Part
    reason: str


class Known(NamedTuple):
    """Who was read at the till; the lowest tier is not always told of."""

    member_id: UUID
    tier: str | None
