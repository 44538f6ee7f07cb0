"""What posting would answer: the same decision, on what is read and neither locked nor changed."""

from collections.abc import Sequence

from shared.database.engine import RawConnection, Transaction
from shared.ledger import repository
from shared.ledger.commands import ClawBack, Command, Earn, EarnPending, Release, Suspend
from shared.ledger.giving import answered_by
from shared.ledger.locking import LockedAccounts
from shared.ledger.needs import needs_of
from shared.ledger.outcomes import Outcome
from shared.ledger.planning import plan
from shared.ledger.posting import COMMANDS_MAX, TooManyCommandsError
from shared.ledger.records import Account
from shared.ledger.refunded import load_refunded

OF_AWARDS = (Earn, EarnPending, ClawBack, Suspend, Release)

READ_ACCOUNTS = """
    select wanted.ordinal, account.account_id, account.available, account.held, account.pending, account.debt,
        alias.survivor_id
    from unnest($1::uuid[], $2::text[]) with ordinality as wanted (owner_id, point_type, ordinal)
        left join ledger_aliases as alias on alias.owner_id = wanted.owner_id
        left join ledger_accounts as account
            on account.owner_id = coalesce(alias.survivor_id, wanted.owner_id)
            and account.point_type = wanted.point_type
"""


async def foresee(transaction: Transaction, commands: Sequence[Command]) -> list[Outcome]:
    """What ``post`` would answer if it were asked now; one outcome a command, in their order. Nothing is written.

    The transaction must be a snapshot: accounts, lots and debts that were read at different moments contradict each
    other.

    Raises:
        TypeError: something else is asked than what becomes of awards. That touches no hold, and no other owner.
        TooManyCommandsError, LedgerBrokenError: as ``post`` does.
    """
    if not commands:
        return []
    if len(commands) > COMMANDS_MAX:
        raise TooManyCommandsError(f"at most {COMMANDS_MAX} commands a call")
    if not all(isinstance(command, OF_AWARDS) for command in commands):
        raise TypeError("only what becomes of awards can be foreseen")
    accounts, survivors = await _read_accounts(transaction.raw, commands)
    asked = [answered_by(command, survivors) for command in commands] if survivors else list(commands)
    refunded = await load_refunded(transaction.raw, accounts, asked)
    needs = needs_of(accounts, asked, transaction.today)
    needs.spare(refunded)
    lots = await repository.load_lots(transaction.raw, needs)
    indebted = [account.account_id for account in accounts.values() if account.debt]
    owed = await repository.load_debts(transaction.raw, indebted)
    return plan(accounts, lots, [], asked, owed=owed, today=transaction.today, refunded=refunded).outcomes


async def _read_accounts(connection: RawConnection, commands: Sequence[Command]) -> LockedAccounts:
    """The accounts as ``lock_accounts`` gives them, but that none is locked or made: one that is missing is empty,
    under a number that is nobody's.
    """
    wanted = {(command.owner_id.int, command.point_type): command.owner_id for command in commands}
    keys = list(wanted)
    read = LockedAccounts({}, {})
    rows = await connection.fetch(READ_ACCOUNTS, list(wanted.values()), [point_type for _, point_type in keys])
    for ordinal, account_id, *amounts, survivor_id in rows:
        key = keys[ordinal - 1]
        if survivor_id is not None:
            read.survivors[wanted[key]] = survivor_id
            key = (survivor_id.int, key[1])
        read.accounts[key] = Account(-ordinal) if account_id is None else Account(account_id, *amounts)
    return read
