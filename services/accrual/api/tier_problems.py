"""How errors of tiers answer over HTTP."""

from collections.abc import Mapping
from typing import Final

from services.accrual.use_cases.grant_tier import GrantEndError, NoSuchTierError, TooManyGrantsError
from services.accrual.use_cases.publish_tier_scheme import TierPointsChangedError, TierZoneChangedError

TIER_PROBLEMS: Final[Mapping[type[Exception], tuple[int, str, str]]] = {
    TierZoneChangedError: (422, "tier-zone-changed", "Days are counted in another zone"),
    TierPointsChangedError: (422, "tier-points-changed", "Points of another type are counted"),
    NoSuchTierError: (422, "no-such-tier", "No such tier"),
    GrantEndError: (422, "grant-end", "The grant ends too early or too late"),
    TooManyGrantsError: (409, "too-many-grants", "Too many grants"),
}
