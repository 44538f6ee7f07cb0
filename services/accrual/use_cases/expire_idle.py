"""Lets the points of members lapse who were inactive, and tells them ahead: a page of accounts in a transaction."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from services.accrual.domain.member_events import begin_of
from services.accrual.domain.rules import RuleSetHistory
from services.accrual.domain.rules.inactivity import Inactivity, lapses_on, lasting_since
from services.accrual.programme import Programme
from services.accrual.repository import idle_sweeps, put_right
from services.accrual.repository.idle_sweeps import Sweep
from services.accrual.use_cases.expire_points import expire_lots
from services.accrual.use_cases.expiry_messages import expiring_message
from shared import ledger, outbox
from shared.database import Transaction
from shared.ledger import HeldSince, idle
from shared.ledger.due_lots import ExpiringPoints
from shared.ledger.idle import IdleAccount, LeftLot, Stretch

ACCOUNTS_PER_PAGE_MAX = 500
OWNERS_LOCKED_MAX = 250  # of a page, so that their accounts are held for milliseconds
LAPSING = 0
_REFERENCE = b"inactive:"


class _Ruling(NamedTuple):
    """What is in force at the beginning of a day: the policy, and the day on which it began to count."""

    policy: Inactivity
    since: date


class IdlePage(NamedTuple):
    """How many members' accounts a page has locked, and how many of these members were inactive."""

    locked: int = 0
    inactive: int = 0


async def expire_idle_page(
    transaction: Transaction,
    history: RuleSetHistory,
    programme: Programme,
    held_since: HeldSince,
    *,
    accounts_max: int = ACCOUNTS_PER_PAGE_MAX,
    owners_max: int | None = None,
    is_dense: bool = False,
) -> IdlePage | None:
    """Go through the next accounts, ``accounts_max`` at most, and lock ``owners_max`` of them at most
    (``OWNERS_LOCKED_MAX``); None: today's are done. ``is_dense``: most of them are inactive, so that they are locked
    unseen, and looked at once.

    Whoever posts beside us waits for the account or is waited for, and accounts are looked at again under their locks:
    what was done by then counts. How far it came is written with what lapsed, so that nothing is lost, or taken twice,
    with a worker. Days that an outage missed need no sweep of their own: what was due then is due today.

    Raises:
        StartAgainError: a member was merged away meanwhile.
    """
    today = _today(transaction)
    sweep = await idle_sweeps.lock(transaction, LAPSING, today)
    if sweep is None:
        return None
    ruling = _ruling(history, programme, sweep.day)
    if ruling is None or ruling.since >= lasting_since(ruling.policy, sweep.day):
        await idle_sweeps.save(transaction, LAPSING, Sweep(sweep.day, 0, sweep.day))
        return IdlePage()
    if is_dense:
        stretch = await idle.find_with_points(transaction, sweep.after_account_id, programme.point_type, accounts_max)
    else:
        stretch = await _stretch(transaction, sweep, ruling, programme, accounts_max)
    if stretch.last_account_id is None:
        await idle_sweeps.save(transaction, LAPSING, Sweep(sweep.day, 0, sweep.day))
        return IdlePage()
    found = [one for one in stretch.accounts if one.last_at is None]
    locked = found[: OWNERS_LOCKED_MAX if owners_max is None else owners_max]
    inactive = await _lapse(transaction, locked, ruling, programme, sweep.day, held_since) if locked else 0
    after = locked[-1].account_id if len(found) > len(locked) else stretch.last_account_id
    await idle_sweeps.save(transaction, LAPSING, Sweep(sweep.day, after, sweep.done_day))
    return IdlePage(len(locked), inactive)


async def tell_idle_page(
    transaction: Transaction, history: RuleSetHistory, programme: Programme, days: int, later_days: int
) -> bool:
    """Tell the next members whose points will lapse ``days`` from the sweep's day on; False: today's are done.

    Nobody's account is locked. A day's points are told once: ``later_days`` are those of the next notice, which tells
    what an outage has left for less than that. Whoever does something after that keeps the points.
    """
    today = _today(transaction)
    sweep = await idle_sweeps.lock(transaction, days, today)
    if sweep is None:
        return False
    ahead = sweep.day + timedelta(days=days)
    ruling = _ruling(history, programme, sweep.day)
    stretch = None if ruling is None else await _stretch(transaction, sweep, ruling, programme, ACCOUNTS_PER_PAGE_MAX)
    if ruling is None or stretch is None or stretch.last_account_id is None:
        await idle_sweeps.save(transaction, days, Sweep(sweep.day, 0, sweep.day))
        return True
    told_until = sweep.day + timedelta(days=later_days)
    if sweep.done_day is not None:
        told_until = max(told_until, sweep.done_day + timedelta(days=days))
    # Of lots the days may be later, and never earlier.
    last_of = {
        one.account_id: one
        for one in stretch.accounts
        if lapses_on(ruling.policy, max(_days(ruling, programme, one.last_at))) <= ahead
    }
    since = _since(ruling, programme, sweep.day)
    right = await put_right.load_since(transaction, [one.owner_id for one in last_of.values()], since)
    lots = await idle.find_lots(transaction, list(last_of), today, since, ahead, b"-", right.voids) if last_of else []
    points: dict[tuple[int, UUID, date], int] = {}
    for lot in lots:
        account = last_of[lot.due.place.account_id]
        due = lapses_on(ruling.policy, _last_day(account.last_at, lot, ruling, programme))
        own_day = lot.due.command.terms.expires_on
        if told_until < due <= ahead and (own_day is None or due < own_day):  # else its own day is told
            key = account.account_id, account.owner_id, due
            points[key] = points.get(key, 0) + lot.points
    await outbox.record(
        transaction,
        [
            expiring_message(transaction, ExpiringPoints(account_id, owner_id, programme.point_type, left), due, days)
            for (account_id, owner_id, due), left in points.items()
        ],
    )
    await idle_sweeps.save(transaction, days, Sweep(sweep.day, stretch.last_account_id, sweep.done_day))
    return True


async def _stretch(
    transaction: Transaction, sweep: Sweep, ruling: _Ruling, programme: Programme, accounts_max: int
) -> Stretch:
    """The next accounts, with when their members last did something: what puts a receipt right is nothing they did."""
    point_type, activities = programme.point_type, ruling.policy.activities
    since = _since(ruling, programme, sweep.day)
    stretch = await idle.find_accounts(transaction, sweep.after_account_id, point_type, activities, since, accounts_max)
    active = {one.account_id: one.owner_id for one in stretch.accounts if one.last_at is not None}
    right = (await put_right.load_since(transaction, active.values(), since)).all if active else []
    if not right:
        return stretch
    again = await idle.look_again(transaction, list(active), point_type, activities, since, right)
    last_of = {one.account_id: one for one in again}
    return replace(stretch, accounts=tuple(last_of.get(one.account_id, one) for one in stretch.accounts))


async def _lapse(
    transaction: Transaction,
    found: Sequence[IdleAccount],
    ruling: _Ruling,
    programme: Programme,
    day: date,
    held_since: HeldSince,
) -> int:
    """Lock these accounts, look at them, and let the points of the inactive lapse; how many these are."""
    owners = [one.owner_id for one in found]
    await ledger.lock_accounts(transaction, owners, [programme.point_type])
    held_since.locked()
    wanted, point_type = [one.account_id for one in found], programme.point_type
    since = _since(ruling, programme, day)
    right = await put_right.load_since(transaction, owners, since)
    again = await idle.look_again(transaction, wanted, point_type, ruling.policy.activities, since, right.all)
    still = [one.account_id for one in again if one.last_at is None]
    lots = await idle.find_lots(transaction, still, day, since, day, _REFERENCE + day.isoformat().encode(), right.voids)
    due = [lot.due for lot in lots if lapses_on(ruling.policy, _last_day(None, lot, ruling, programme)) <= day]
    await expire_lots(transaction, due, held_since, because="inactivity")
    return len(still)


def _since(ruling: _Ruling, programme: Programme, day: date) -> datetime:
    return begin_of(lasting_since(ruling.policy, day), programme.zone)


def _last_day(last_at: datetime | None, lot: LeftLot, ruling: _Ruling, programme: Programme) -> date:
    """The day from which a lot's time runs: of the last activity, of the lot itself, or of the policy; of what came
    back to it, the day of that."""
    return max(lot.available_from, *_days(ruling, programme, last_at, lot.came_back_at))


def _days(ruling: _Ruling, programme: Programme, *times: datetime | None) -> list[date]:
    return [ruling.since, *(one.astimezone(programme.zone).date() for one in times if one is not None)]


def _ruling(history: RuleSetHistory, programme: Programme, day: date) -> _Ruling | None:
    found = history.inactivity_at(begin_of(day, programme.zone))
    return None if found is None else _Ruling(found[0], found[1].astimezone(programme.zone).date())


def _today(transaction: Transaction) -> date:
    if transaction.today is None:
        raise AssertionError("unreachable: accrual's database knows where the programme is")
    return transaction.today
