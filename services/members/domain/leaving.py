"""What becomes of the unspent points of who leaves a household: the programme says, and members agree to it. Pure."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeAlias

from services.members.domain.household_errors import LeavingTermsNotAgreedError

NOTICE_DAYS_MAX = 365

LeavingPolicy: TypeAlias = Literal["takes_own", "stays_with_household"]


@dataclass(frozen=True, slots=True)
class LeavingTerms:
    """``stays_with_household``: what a member has available stays if the member contributes, or stopped less than
    ``notice_days`` before leaving. Else whoever leaves takes it along, and there is no notice.
    """

    policy: LeavingPolicy
    notice_days: int

    @property
    def notice(self) -> timedelta:
        """How long what was contributed goes on staying after contributing ended."""
        return timedelta(days=self.notice_days)


TAKES_OWN = LeavingTerms("takes_own", 0)


def leaving_terms(policy: LeavingPolicy, notice_days: int) -> LeavingTerms:
    """The terms of a policy: where nothing stays there is no notice."""
    return TAKES_OWN if policy == "takes_own" else LeavingTerms(policy, notice_days)


def judge_agreement(agreed: LeavingTerms | None, in_force: LeavingTerms) -> LeavingTerms:
    """The terms that bind a membership from now on: those in force, if they are what the member was shown.

    Whoever says nothing agrees to keep what is theirs, and to nothing else.

    Raises:
        LeavingTermsNotAgreedError
    """
    if (agreed or TAKES_OWN) == in_force:
        return in_force
    if in_force == TAKES_OWN:
        raise LeavingTermsNotAgreedError(
            "/leaving: who leaves a household takes their own points along: send policy takes_own, or nothing"
        )
    raise LeavingTermsNotAgreedError(
        f"/leaving: show the member that points stay with the household they leave, also those of who stopped "
        f"contributing less than {in_force.notice_days} days before, and send policy {in_force.policy} with "
        f"notice_days {in_force.notice_days} if the member agrees"
    )
