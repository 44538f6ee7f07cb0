"""Who looked at whom, and what for: every time that something personal leaves the service, or is corrected."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

# Why somebody who may look at persons does. A message, a checkout and a rectification are told from what is asked for.
ReadPurpose: TypeAlias = Literal["service", "complaint", "fraud_inquiry", "data_subject_request"]
Purpose: TypeAlias = ReadPurpose | Literal["message", "checkout", "rectification"]
# What was seen: everything, where to write to, a name, attributes, all that is held; or that fields were corrected.
Sight: TypeAlias = Literal["member", "contact", "name", "attributes", "export", "rectification"]


@dataclass(frozen=True, slots=True)
class Access:
    """One look at one member's person. ``accessed_by`` is the caller's ``client_id``."""

    member_id: UUID
    accessed_by: str
    purpose: Purpose
    sight: Sight


@dataclass(frozen=True, slots=True)
class AccessEntry:
    """An access as it was recorded. ``entry_id`` rises with time."""

    entry_id: int
    access: Access
    accessed_at: datetime


@dataclass(frozen=True, slots=True)
class AccessFilter:
    """Which entries are asked for; None asks for all."""

    member_id: UUID | None = None
    accessed_by: str | None = None
