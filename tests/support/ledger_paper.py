"""What a person keeps on paper: a hold, and what may be asked of one owner."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TypeAlias

from shared.ledger import (
    AdjustDown,
    AdjustUp,
    Capture,
    ClawBack,
    Earn,
    EarnPending,
    Expire,
    LotTerms,
    Refund,
    RefundOwed,
    Reinstate,
    Release,
    Reserve,
    SpendLate,
    Suspend,
    Void,
    WriteOff,
)

OwnCommand: TypeAlias = (
    Earn
    | EarnPending
    | ClawBack
    | Suspend
    | Release
    | Reserve
    | Capture
    | Void
    | SpendLate
    | AdjustUp
    | AdjustDown
    | WriteOff
    | Expire
    | Reinstate
    | Refund
    | RefundOwed
)


@dataclass
class PaperHold:
    """What a hold took from each lot: still reserved, captured, and given back of that."""

    reserved: dict[LotTerms, int]
    captured: dict[LotTerms, int] = field(default_factory=lambda: defaultdict(int))
    refunded: dict[LotTerms, int] = field(default_factory=lambda: defaultdict(int))
    state: str = "open"
