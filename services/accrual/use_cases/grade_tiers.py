"""Grades members whose rows are locked: loads what they have collected, decides, and saves what has changed."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from services.accrual.domain.tiers.grading import Cause, Graded, grade, next_due_at
from services.accrual.domain.tiers.looking_back import Lookback, look_back, wants_days
from services.accrual.domain.tiers.periods import day_of
from services.accrual.domain.tiers.qualification import CountedDay
from services.accrual.domain.tiers.scheme import TierScheme, TierSchemeHistory
from services.accrual.domain.tiers.standing import Collected
from services.accrual.repository import tier_days, tier_grants, tier_standings
from services.accrual.repository.tier_days import Wanted
from services.accrual.repository.tier_standings import ChangeRow, Kept, Row
from services.accrual.use_cases.tier_messages import tier_message
from shared.database import Transaction
from shared.outbox import Message


class Regraded(NamedTuple):
    """A member as graded now, with what that rests on."""

    kept: Kept
    collected: Collected
    graded: Graded

    @property
    def version(self) -> int:
        """The member's version after it."""
        return self.kept.version + len(self.graded.changes)


async def grade_members(
    transaction: Transaction, causes: Mapping[UUID, Cause], schemes: TierSchemeHistory, *, with_grants: bool = False
) -> list[Message]:
    """Grade members up to now and save it; the events are the caller's to record, last.

    The caller holds the members' locks; with ``with_grants`` it has changed their grants. Idempotent: what is graded
    is not graded again, and a change is noted once under its member's version. The number of statements does not
    depend on the number of members.
    """
    regraded = await regrade(transaction, causes, schemes, with_grants=with_grants)
    return await save_regraded(transaction, regraded)


async def regrade(
    transaction: Transaction,
    causes: Mapping[UUID, Cause],
    schemes: TierSchemeHistory,
    *,
    with_grants: bool = False,
    by_day: bool = False,
) -> dict[UUID, Regraded]:
    """Members as they are now; nothing is saved. Empty while no scheme is in force.

    Days are read one by one where grading needs them; ``by_day``: in any case.
    """
    scheme = schemes.at(transaction.now)
    if scheme is None or not causes:
        return {}
    kept = await tier_standings.load(transaction, causes)
    having = [member_id for member_id, one in kept.items() if with_grants or one.granted_until is not None]
    grants = await tier_grants.load(transaction, having) if having else {}  # nearly nobody has one
    anchors = {member_id: _anchor(one, scheme) for member_id, one in kept.items()}
    lookbacks = {
        member_id: look_back(one.standing, grants.get(member_id, ()), anchors[member_id], schemes, transaction.now)
        for member_id, one in kept.items()
    }
    if by_day:
        lookbacks = {member_id: one._replace(is_by_day=True) for member_id, one in lookbacks.items()}
    days = await _days(transaction, lookbacks, scheme)
    regraded = {}
    for member_id, one in kept.items():
        collected = Collected(days[member_id], anchors[member_id], grants.get(member_id, ()))
        graded = grade(one.standing, collected, schemes, transaction.now, causes[member_id])
        if graded is not None:
            regraded[member_id] = Regraded(one, collected, graded)
    return regraded


async def save_regraded(transaction: Transaction, regraded: Mapping[UUID, Regraded]) -> list[Message]:
    """Save what is not as it was, and tell of the changes."""
    rows: list[Row] = []
    changes: list[ChangeRow] = []
    for member_id, (kept, collected, (standing, changed)) in regraded.items():
        grants = collected.grants
        granted_until = max((grant.ends_at for grant in grants if grant.ends_at > standing.graded_at), default=None)
        was = kept.standing
        if (
            was is not None
            and granted_until == kept.granted_until
            and standing == was._replace(graded_at=standing.graded_at)
        ):
            continue  # only time has passed, and nothing with it
        version = kept.version
        for change in changed:
            version += 1
            changes.append(ChangeRow(member_id, version, change, standing.scheme_version))
        rows.append(Row(member_id, standing, version, granted_until, next_due_at(standing, grants)))
    await tier_standings.save(transaction, rows)
    await tier_standings.save_changes(transaction, changes)
    return [tier_message(transaction, change) for change in changes]


def _anchor(kept: Kept, scheme: TierScheme) -> date:
    """The day that a member's anniversaries are counted from; of one whose enrolment was not told, New Year's Day of
    the year in which the scheme took effect."""
    if kept.enrolled_at is not None:
        return day_of(kept.enrolled_at, scheme.days_zone)
    return date(day_of(scheme.effective_from, scheme.days_zone).year, 1, 1)


async def _days(
    transaction: Transaction, lookbacks: Mapping[UUID, Lookback], scheme: TierScheme
) -> dict[UUID, Sequence[CountedDay]]:
    days: dict[UUID, Sequence[CountedDay]] = dict(await _read(transaction, lookbacks, scheme))
    again = {
        member_id: one._replace(is_by_day=True)
        for member_id, one in lookbacks.items()
        if wants_days(one, days[member_id], scheme)
    }
    if again:
        days |= await _read(transaction, again, scheme)
    return days


async def _read(
    transaction: Transaction, lookbacks: Mapping[UUID, Lookback], scheme: TierScheme
) -> Mapping[UUID, list[CountedDay]]:
    wanted = [
        Wanted(member_id, window, not lookback.is_by_day)
        for member_id, lookback in lookbacks.items()
        for window in lookback.windows
    ]
    return await tier_days.load(transaction, wanted, scheme.visits_per_day_max)
