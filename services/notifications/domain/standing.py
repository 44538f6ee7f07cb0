"""To whom messages go, by a member's status. This table is the one place that says so.

It is asked twice: what the topic has told so far spares the registry a question, and the registry's own answer counts.
"""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from shared.events.members import MemberStatus

# 'unknown': points of a member came before his enrolment.
KnownStatus: TypeAlias = Literal["unknown"] | MemberStatus
StatusReason: TypeAlias = Literal["member_merged", "member_closed", "member_erased"]

# Why nothing is sent; None where it is. Who may not spend, or is suspended, still has points to be told of.
SUPPRESSES: Final[Mapping[KnownStatus, StatusReason | None]] = {
    "unknown": None,
    "active": None,
    "suspended": None,
    "earn_only": None,
    "spend_locked": None,
    "merged": "member_merged",
    "closed": "member_closed",
    "erased": "member_erased",
}
