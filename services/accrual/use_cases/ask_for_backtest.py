"""Ask for a backtest, look at it, end it."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from uuid import UUID

from services.accrual.domain.backtests.requests import (
    OPEN_STATES,
    QUEUED_MAX,
    Backtest,
    BacktestEndedError,
    BacktestNotDoneError,
    BacktestNotFoundError,
    BacktestRequest,
    TooManyBacktestsError,
    check_period,
)
from services.accrual.programme import Programme
from services.accrual.repository import backtests
from shared.database import Transaction
from shared.ids import new_id
from shared.rule_sets.reading import read_rule_set


async def ask_for_backtest(
    transaction: Transaction,
    programme: Programme,
    author: str,
    *,
    rule_set_id: UUID,
    from_date: date,
    until_date: date,
    partners: tuple[str, ...],
    sample_percent: int,
    point_price: Decimal,
    partner_prices: Mapping[str, Decimal],
) -> Backtest:
    """Let a backtest wait for its turn, with the rule set's document as it stands now.

    Raises:
        RuleSetNotFoundError, UnusablePeriodError, TooManyBacktestsError: nothing was changed.
    """
    check_period(from_date, until_date, transaction.now.astimezone(programme.zone).date())
    rule_set = (await read_rule_set(transaction, rule_set_id)).rule_set
    if await backtests.count_open(transaction) >= QUEUED_MAX:
        raise TooManyBacktestsError(f"{QUEUED_MAX} backtests wait already: cancel one, or come back later")
    request = BacktestRequest(
        rule_set_id=rule_set_id,
        rule_set_revision=rule_set.revision,
        from_date=from_date,
        until_date=until_date,
        partners=tuple(dict.fromkeys(partners)),
        sample_percent=sample_percent,
        point_price=point_price,
        partner_prices=dict(partner_prices),
    )
    backtest_id = new_id()
    await backtests.insert(transaction, backtest_id, request, rule_set.document, author)
    return await find_backtest(transaction, backtest_id)


async def find_backtest(transaction: Transaction, backtest_id: UUID) -> Backtest:
    """The backtest as it stands.

    Raises:
        BacktestNotFoundError: there is none.
    """
    found = await backtests.find(transaction, backtest_id)
    if found is None:
        raise BacktestNotFoundError("there is no such backtest")
    return found


async def cancel_backtest(transaction: Transaction, backtest_id: UUID, author: str) -> Backtest:
    """End a backtest, whether or not anybody runs it; as it stands then. A cancelled one is answered as it stands.

    Raises:
        BacktestNotFoundError, BacktestEndedError: nothing was changed.
    """
    found = await backtests.lock(transaction, backtest_id)
    if found is None:
        raise BacktestNotFoundError("there is no such backtest")
    if found.state in OPEN_STATES:
        await backtests.cancel(transaction, backtest_id, author)
    elif found.state != "cancelled":
        raise BacktestEndedError(f"the backtest is over: it is {found.state}")
    return await find_backtest(transaction, backtest_id)


async def read_report(transaction: Transaction, backtest_id: UUID) -> bytes:
    """The report as it was kept, which names no member (``backtest_members``).

    Raises:
        BacktestNotFoundError, BacktestNotDoneError: there is none.
    """
    found = await backtests.find_report(transaction, backtest_id)
    if found is None:
        raise BacktestNotFoundError("there is no such backtest")
    state, report = found
    if report is None:
        raise BacktestNotDoneError(f"there is no report: the backtest is {state}")
    return report
