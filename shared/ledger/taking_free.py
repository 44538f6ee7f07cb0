"""Taking what several owners' holds reserve at once, without waiting for any of them."""

from collections.abc import Sequence

from shared.database.engine import Transaction
from shared.ledger import locking, repository
from shared.ledger.commands import Capture
from shared.ledger.needs import needs_of
from shared.ledger.outcomes import Outcome
from shared.ledger.planning import plan
from shared.ledger.records import AccountKey
from shared.ledger.writing import holds_written_later, write


async def take_free(
    transaction: Transaction, commands: Sequence[Capture], *, waits: bool = False
) -> list[Outcome | None]:
    """Apply commands as ``post`` does, in their order; None for those whose account is not free.

    Passed over, unless it ``waits``, is an account that another transaction has locked; in any case one that is not
    there, or was merged away, and one to which a hold came by a merge. What was decided is mostly written with the
    transaction's last statement: ask the ledger nothing more of these owners in this transaction.

    Raises:
        LedgerBrokenError: what is stored contradicts itself.
    """
    accounts = await locking.lock_free(transaction.raw, commands, waits=waits)
    free = [command for command in commands if _key(command) in accounts]
    lots, holds = await repository.load_lots_and_holds(transaction.raw, needs_of(accounts, free, transaction.today))
    ours = {account.account_id for account in accounts.values()}
    strange = {hold.hold_id for hold in holds if hold.account_id not in ours}
    if strange:
        free = [command for command in free if command.hold_id not in strange]
        accounts = {_key(command): accounts[_key(command)] for command in free}
        ours = {account.account_id for account in accounts.values()}
        lots = [lot for lot in lots if lot.account_id in ours]
    owed = await repository.load_debts(
        transaction.raw, [account.account_id for account in accounts.values() if account.debt]
    )
    planned = plan(accounts, lots, holds, free, owed=owed, today=transaction.today)
    if planned.transfers:
        written = holds_written_later(planned, transaction.now)
        if written is None:  # what is let go clears a debt, or came back too late
            await write(transaction.raw, planned, transaction.now)
        else:
            transaction.later.extend(written)
    decided = iter(planned.outcomes)
    return [
        next(decided) if _key(command) in accounts and command.hold_id not in strange else None for command in commands
    ]


def _key(command: Capture) -> AccountKey:
    return command.owner_id.int, command.point_type
