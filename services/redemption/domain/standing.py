"""What a member's status does to spending. These tables are the one place that says so.

They speak of new holds and of what is shown. What was reserved can be taken, let go and expire whatever the status: the
till was promised it. And a points tender in a receipt is a fact: its goods are gone, so that it takes its points.
"""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from shared.events.members import MemberStatus

# 'unknown': a receipt named the member before the registry did.
KnownStatus: TypeAlias = Literal["unknown"] | MemberStatus
StatusReason: TypeAlias = Literal[
    "member_suspended", "member_earn_only", "member_spend_locked", "member_merged", "member_closed"
]

# Whom these are the statuses of does not exist for anybody who asks.
HIDDEN: Final[frozenset[KnownStatus]] = frozenset({"unknown", "erased"})

# Why a new hold is declined; None where it is not.
DECLINES: Final[Mapping[KnownStatus, StatusReason | None]] = {
    "active": None,
    "suspended": "member_suspended",
    "earn_only": "member_earn_only",
    "spend_locked": "member_spend_locked",
    # The surviving member is asked before; this is one of whose merge only the status has been heard.
    "merged": "member_merged",
    "closed": "member_closed",
}
