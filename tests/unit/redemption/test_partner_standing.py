"""What each state and kind of a partner does to holds: the README's table, row by row."""

from pathlib import Path
from typing import get_args

import pytest

from services.redemption.domain.partner_standing import Standing, why_not_spent
from shared.events.coalition import PartnerKind, PartnerState

HOLDS: dict[PartnerState, bool] = {
    "preparing": False,
    "testing": False,
    "active": True,
    "suspended_earning": True,
    "suspended_spending": False,
    "suspended": False,
    "leaving": True,
    "left": False,
}
REDEEMERS = {"redeeming", "both"}


@pytest.mark.parametrize("kind", get_args(PartnerKind))
@pytest.mark.parametrize("state", get_args(PartnerState))
def test_what_a_standing_does_to_holds(state: PartnerState, kind: PartnerKind) -> None:
    assert (why_not_spent(Standing(kind, state)) is None) is (HOLDS[state] and kind in REDEEMERS)


def test_who_is_leaving_takes_no_points_after_the_last_day() -> None:
    assert why_not_spent(Standing("both", "leaving", is_last_day_over=True)) == "partner_left"
    assert why_not_spent(Standing("both", "active", is_last_day_over=True)) is None


def test_a_partner_of_whom_nothing_is_known_is_not_refused() -> None:
    assert why_not_spent(None) is None


def test_the_readme_says_the_same() -> None:
    readme = (Path(__file__).parents[3] / "services/redemption/README.md").read_text()
    for state, holds in HOLDS.items():
        until = " until `last_spend_on`" if state == "leaving" else ""
        assert f"| `{state}` | {'yes' if holds else 'no'}{until} | yes | yes |" in readme
