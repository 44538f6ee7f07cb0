"""What a member's status does to spending. These tables are the one place that says so.

They speak of new holds, of gifts and of what is shown. What was reserved can be taken, let go and expire whatever the
status: the till was promised it. And a points tender in a receipt is a fact: its goods are gone, so that it takes its
points.
"""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from shared.events.members import MemberStatus

# 'unknown': a receipt named the member before the registry did.
KnownStatus: TypeAlias = Literal["unknown"] | MemberStatus
StatusReason: TypeAlias = Literal[
    "member_suspended", "member_earn_only", "member_spend_locked", "member_merged", "member_closed"
]

ReceiverReason: TypeAlias = Literal["receiver_suspended", "receiver_merged", "receiver_closed"]

# Whom these are the statuses of does not exist for anybody who asks.
HIDDEN: Final[frozenset[KnownStatus]] = frozenset({"unknown", "erased"})

# Why a new hold, or a gift to another member, is declined; None where it is not.
DECLINES: Final[Mapping[KnownStatus, StatusReason | None]] = {
    "active": None,
    "suspended": "member_suspended",
    "earn_only": "member_earn_only",
    "spend_locked": "member_spend_locked",
    # The surviving member is asked before; this is one of whose merge only the status has been heard.
    "merged": "member_merged",
    "closed": "member_closed",
}

# Why a member is given nothing by another one; None where it is. Who earns may receive.
RECEIVES: Final[Mapping[KnownStatus, ReceiverReason | None]] = {
    "active": None,
    "suspended": "receiver_suspended",
    "earn_only": None,
    "spend_locked": None,
    "merged": "receiver_merged",
    "closed": "receiver_closed",
}
