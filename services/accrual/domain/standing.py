"""What a member's status does to his receipts. This table is the one place that says so.

It speaks of purchases, fresh ones and those that were parked. A return takes back and a hold of fraud's sets aside
whatever the status: the goods are back, and the points were given, no matter what became of the member since.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple, TypeAlias

from shared.events.members import MemberStatus


class Earns(NamedTuple):
    """Purchases are awarded."""


class Waits(NamedTuple):
    """Purchases are parked until the status changes: it may, and a refusal is final."""

    reason: str


class EarnsNothing(NamedTuple):
    """Purchases are refused for good: no member comes back from this status."""

    reason: str
    detail: str


Standing: TypeAlias = Earns | Waits | EarnsNothing

STANDINGS: Final[Mapping[MemberStatus, Standing]] = {
    "active": Earns(),
    "earn_only": Earns(),
    "spend_locked": Earns(),
    "suspended": Waits("member_suspended"),
    # Whose purchases they are now is asked before; this is a member of whose merge only the status has been heard.
    "merged": Waits("member_merged"),
    "closed": EarnsNothing("member_closed", "the member has left the programme"),
    "erased": EarnsNothing("member_erased", "the member's data were erased"),
}

# Parked under the member, and not to be looked at before the status changes.
WAITING_STATUSES: Final = tuple(status for status, standing in STANDINGS.items() if isinstance(standing, Waits))
