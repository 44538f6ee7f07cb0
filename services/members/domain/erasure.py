"""Erasure: who asked for it, and what is left to say afterwards. Pure."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ErasureRequest:
    """Whose person is to be erased, why, and who says so."""

    member_id: UUID
    reason_code: str
    erased_by: str


@dataclass(frozen=True, slots=True)
class Erasure:
    """A member behind whom nobody is known any more, since ``erased_at``. ``version`` is the member's last."""

    member_id: UUID
    version: int
    erased_at: datetime


@dataclass(frozen=True, slots=True)
class HeldHash:
    """A hash that leads to a member: an identifier in any state, or the e-mail address, which no event names."""

    hash: str
    is_email: bool
    version: int
