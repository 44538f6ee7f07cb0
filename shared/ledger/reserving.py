"""Reserving for several owners at once, without waiting for any of them."""

from collections.abc import Sequence
from typing import NamedTuple

from shared.database.engine import Transaction
from shared.ledger import locking, repository
from shared.ledger.commands import Reserve
from shared.ledger.needs import needs_of
from shared.ledger.outcomes import Outcome, Refused
from shared.ledger.planning import plan
from shared.ledger.writing import holds_written_later


class Reserved(NamedTuple):
    """What became of a command; ``available`` is, of a refused one, what its basket could have used, where that is
    known without asking further."""

    outcome: Outcome
    available: int | None = None


async def reserve_free(
    transaction: Transaction, commands: Sequence[Reserve], *, waits: bool = False
) -> list[Reserved | None]:
    """Apply commands as ``post`` does, in their order; None for those whose account is not free.

    Passed over, unless it ``waits``, is an account that another transaction has locked; in any case one that is not
    there yet, or was merged away. What was decided is written with the transaction's last statement: ask the ledger
    nothing more of these owners in this transaction.

    Raises:
        HoldExistsError: a hold is reserved twice within ``commands`` (across calls: what ``is_hold_taken`` tells).
        LedgerBrokenError: what is stored contradicts itself.
    """
    accounts = await locking.lock_free(transaction.raw, commands, waits=waits)
    free = [command for command in commands if (command.owner_id.int, command.point_type) in accounts]
    needs = needs_of(accounts, free, transaction.today)
    lots = await repository.load_lots(transaction.raw, needs)
    indebted = [account.account_id for account in accounts.values() if account.debt]
    owed = await repository.load_debts(transaction.raw, indebted)
    planned = plan(accounts, lots, (), free, owed=owed, today=transaction.today)
    if planned.transfers:
        written = holds_written_later(planned, transaction.now)
        if written is None:
            raise AssertionError("unreachable: what is reserved makes no lot and no debt")
        transaction.later.extend(written)
    limited = {lot.account_id for lot in lots if lot.terms.limits is not None}
    decided = iter(planned.outcomes)
    reserved: list[Reserved | None] = []
    for command in commands:
        account = accounts.get((command.owner_id.int, command.point_type))
        reserved.append(None if account is None else _reserved(next(decided), has_limits=account.account_id in limited))
    return reserved


def _reserved(outcome: Outcome, *, has_limits: bool) -> Reserved:
    known = isinstance(outcome, Refused) and not has_limits
    return Reserved(outcome, outcome.balance.available if known else None)
