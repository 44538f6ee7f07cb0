"""The chart of accounts, and every way in which points may move on it.

A transfer takes points from its debit and adds them to its credit. ``available``, ``held``, ``pending`` and ``debt``
are the owner's; ``issue`` and ``redeem`` a partner's; ``breakage`` and ``adjustment`` the programme's. What an owner
owes is the balance of ``debt`` below zero. The table of transfers admits these ways and no others. Those of
``BETWEEN_OWNERS`` alone go from one owner's account to another's, from a position to the same one there.
"""

from typing import Literal, NamedTuple, TypeAlias

Position: TypeAlias = Literal["available", "held", "pending", "debt", "issue", "redeem", "breakage", "adjustment"]
Purpose: TypeAlias = Literal[
    "earn",
    "claw_back",
    "clear_debt",
    "suspend",
    "release",
    "reserve",
    "capture",
    "void",
    "expire",
    "spend_late",
    "merge",
    "gift",
    "leave",
    "expire_points",
    "reinstate",
    "adjust",
    "write_off",
    "refund",
    "prolong",
    "refund_owed",
]


class Legs(NamedTuple):
    """What a transfer is for, where the points come from and where they go."""

    purpose: Purpose
    debit: Position
    credit: Position


EARN = Legs("earn", "issue", "available")
EARN_PENDING = Legs("earn", "issue", "pending")
CLAW_BACK_PENDING = Legs("claw_back", "pending", "issue")
CLAW_BACK_AVAILABLE = Legs("claw_back", "available", "issue")
CLAW_BACK_OWED = Legs("claw_back", "debt", "issue")
CLEAR_DEBT = Legs("clear_debt", "available", "debt")
SUSPEND = Legs("suspend", "available", "pending")
RELEASE = Legs("release", "pending", "available")
RESERVE = Legs("reserve", "available", "held")
CAPTURE = Legs("capture", "held", "redeem")
VOID = Legs("void", "held", "available")
EXPIRE = Legs("expire", "held", "available")
SPEND_LATE = Legs("spend_late", "available", "redeem")
MERGE_AVAILABLE = Legs("merge", "available", "available")
MERGE_PENDING = Legs("merge", "pending", "pending")
MERGE_DEBT = Legs("merge", "debt", "debt")  # points that the survivor owes now: from its debt to the other one's
GIFT = Legs("gift", "available", "available")
LEAVE = Legs("leave", "available", "available")  # what stays with a household that its owner leaves
EXPIRE_POINTS = Legs("expire_points", "available", "breakage")
REINSTATE = Legs("reinstate", "breakage", "available")
ADJUST_UP = Legs("adjust", "adjustment", "available")
ADJUST_DOWN = Legs("adjust", "available", "adjustment")
WRITE_OFF = Legs("write_off", "adjustment", "debt")
REFUND = Legs("refund", "redeem", "available")
SPEND_OWED = Legs("spend_late", "debt", "redeem")  # what a purchase took that was not there
REFUND_OWED = Legs("refund_owed", "redeem", "debt")  # the purchase was undone: it is owed no more
REFUND_PAID = Legs("refund_owed", "issue", "available")  # what had been paid of it comes back, from the partner
PROLONG = Legs("prolong", "available", "available")  # what came back too late: to a lot with a later last day

BETWEEN_OWNERS = frozenset({MERGE_AVAILABLE, MERGE_PENDING, MERGE_DEBT, GIFT, LEAVE})

ALL_LEGS = (
    EARN,
    EARN_PENDING,
    CLAW_BACK_PENDING,
    CLAW_BACK_AVAILABLE,
    CLAW_BACK_OWED,
    CLEAR_DEBT,
    SUSPEND,
    RELEASE,
    RESERVE,
    CAPTURE,
    VOID,
    EXPIRE,
    SPEND_LATE,
    MERGE_AVAILABLE,
    MERGE_PENDING,
    MERGE_DEBT,
    GIFT,
    LEAVE,
    EXPIRE_POINTS,
    REINSTATE,
    ADJUST_UP,
    ADJUST_DOWN,
    WRITE_OFF,
    REFUND,
    PROLONG,
    SPEND_OWED,
    REFUND_OWED,
    REFUND_PAID,
)
