"""What a partner's state and kind do to spending. The table is the README's, word for word.

Only new holds are refused: what is held already was promised to a member at a till, and is captured or let go in every
state; a points tender in a receipt is a fact, since its goods are gone; a void gives back, whoever asks.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

from shared.events.coalition import PartnerKind, PartnerState

Reason: TypeAlias = Literal["partner_suspended", "partner_not_open", "partner_left", "partner_does_not_redeem"]


class Effects(NamedTuple):
    """Whether points may be reserved; what was reserved before is always honoured."""

    holds: Literal["yes", "no", "until_its_day"]
    reason: Reason | None


BY_STATE: Mapping[PartnerState, Effects] = {
    "preparing": Effects("no", "partner_not_open"),
    "testing": Effects("no", "partner_not_open"),
    "active": Effects("yes", None),
    "suspended_earning": Effects("yes", None),
    "suspended_spending": Effects("no", "partner_suspended"),
    "suspended": Effects("no", "partner_suspended"),
    "leaving": Effects("until_its_day", "partner_left"),
    "left": Effects("no", "partner_left"),
}

REDEEMS: Mapping[PartnerKind, bool] = {"issuing": False, "redeeming": True, "both": True, "co_brand_bank": False}


class Standing(NamedTuple):
    """Where a partner stands now, and whether the last day of spending, which one who is leaving has, is over."""

    kind: PartnerKind
    state: PartnerState
    is_last_day_over: bool = False


def why_not_spent(standing: Standing | None) -> Reason | None:
    """Why no points may be reserved there; None where they may.

    A partner of whom nothing is known yet is not refused: its till could not call had it not been registered.
    """
    if standing is None:
        return None
    effects = BY_STATE[standing.state]
    if effects.holds == "no" or (effects.holds == "until_its_day" and standing.is_last_day_over):
        return effects.reason
    return None if REDEEMS[standing.kind] else "partner_does_not_redeem"
