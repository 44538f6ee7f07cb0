"""How errors of tiers answer over HTTP."""

from collections.abc import Mapping
from typing import Final

from services.accrual.use_cases.grant_tier import GrantEndError, NoSuchTierError, TooManyGrantsError
from services.accrual.use_cases.keep_promises import UnkeptPromiseError
from services.accrual.use_cases.publish_tier_scheme import TierPointsChangedError, TierZoneChangedError
from shared.web.problems import FieldError, Problem

TIER_PROBLEMS: Final[Mapping[type[Exception], tuple[int, str, str]]] = {
    TierZoneChangedError: (422, "tier-zone-changed", "Days are counted in another zone"),
    TierPointsChangedError: (422, "tier-points-changed", "Points of another type are counted"),
    UnkeptPromiseError: (422, "multiplier-not-given", "A tier's multiplier is given by no rule"),
    NoSuchTierError: (422, "no-such-tier", "No such tier"),
    GrantEndError: (422, "grant-end", "The grant ends too early or too late"),
    TooManyGrantsError: (409, "too-many-grants", "Too many grants"),
}


def multiplier_not_given(error: UnkeptPromiseError) -> Problem:
    """A scheme that promises what no rule gives: with a pointer to each tier."""
    status, slug, title = TIER_PROBLEMS[UnkeptPromiseError]
    errors = [FieldError(pointer=fault.pointer, detail=fault.detail) for fault in error.faults]
    return Problem(status, slug, str(error), title=title, errors=errors)
