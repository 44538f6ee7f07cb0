"""Of ``loyalty.points``, what became of members' tiers."""

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, StrictInt

from shared.events.envelope import Code, Event, Frozen, Version


class TierData(Frozen):
    """A member's tier as it changed at ``effective_at``; ``version`` counts the changes of this member's tier.

    ``until`` is when the new one may end if nothing more is collected; absent: time does not take it.
    """

    member_id: UUID
    version: Version
    old_tier: Code
    new_tier: Code
    reason: Code
    effective_at: AwareDatetime
    until: AwareDatetime | None = None
    scheme_version: StrictInt


class TierChanged(Event):
    """A member has another tier."""

    type: Literal["loyalty.tier.changed.v1"] = "loyalty.tier.changed.v1"
    data: TierData
