"""What a member's status refuses is refused alike, whatever was asked for; what passes says when to ask again."""

from typing import get_args

import pytest

from services.redemption.api import gift_refusals, reward_refusals
from services.redemption.api.refusals import declined, no_privileges, not_spending
from services.redemption.domain.gifting import GiftRefusedError
from services.redemption.domain.holding import Decline
from services.redemption.domain.redemption import Redemption
from services.redemption.domain.rewards.entitlement import RewardRefusedError
from services.redemption.domain.standing import StatusReason
from services.redemption.use_cases.hold_points import Declined
from shared.ids import new_id

REASONS: tuple[StatusReason, ...] = get_args(StatusReason)


@pytest.mark.parametrize("reason", REASONS)
def test_a_members_status_is_refused_alike_by_holds_quotes_gifts_rewards_and_privileges(reason: StatusReason) -> None:
    problems = [
        declined(Declined(Decline(Redemption(new_id(), "points"), 50, reason)), None, 1),
        not_spending(reason, None, 1),
        no_privileges(reason),
        gift_refusals.refused(GiftRefusedError(reason)),
        reward_refusals.refused(RewardRefusedError(reason)),
    ]
    assert {(one.status, one.slug) for one in problems} == {(409, reason.replace("_", "-"))}
    assert {one.may_pass for one in problems} == {reason == "member_merged"}
    assert {"Retry-After" in one.headers for one in problems} == {reason == "member_merged"}
