"""Posting: lock, read, decide, write. The one way in which points move."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import asyncpg

from shared.database.engine import RawConnection, Transaction
from shared.database.under_way import under_way
from shared.ledger import locking, repository
from shared.ledger.commands import Command
from shared.ledger.gifts import Give
from shared.ledger.giving import answered_by
from shared.ledger.hold_time import HeldSince
from shared.ledger.needs import needs_of, survivors_lots
from shared.ledger.outcomes import Outcome, Posted, Refused
from shared.ledger.planning import Absorbed, plan
from shared.ledger.records import Account, AccountKey, AccountName
from shared.ledger.refunded import load_refunded
from shared.ledger.writing import holds_written_later, write

COMMANDS_MAX = 10_000


def is_hold_taken(error: Exception) -> bool:
    """Whether a transaction failed because a hold that it opened is there already, whoever's it is."""
    return isinstance(error, asyncpg.UniqueViolationError) and error.constraint_name == "ledger_holds_pkey"


class TooManyCommandsError(ValueError):
    """One call asks for more than ``COMMANDS_MAX``: nothing was locked or changed. Ask page by page."""


async def post(
    transaction: Transaction,
    commands: Sequence[Command],
    *,
    held_since: HeldSince | None = None,
    written_later: bool = False,
) -> list[Outcome]:
    """Apply commands to the ledger inside the caller's transaction; one outcome a command, in their order.

    Commands of one owner are decided in the given order, each seeing those before it; splitting the list into several
    calls leaves the same balances, lots and holds. Every credit clears what its owner owes first. A refusal changes
    nothing and is an answer; an error fails the whole call, and the transaction must be rolled back.

    Owners' accounts, receivers' too, are made if they are missing, locked in key order and stay locked to the commit:
    call this once a transaction, after every lock of an earlier step. The number of statements does not depend on the
    number of commands. Not idempotent: the caller's claim or idempotency record must be part of the same transaction.

    What may no longer be spent on the transaction's day lapses first, whether the job that expires points has come by
    or not; where something is earned only, that is left to the job.

    What is asked of an owner that was merged away is asked of its survivor, and the outcome's command names that one.

    ``written_later``: what opens, takes or lets go holds, and does no more, is written with the transaction's last
    statement. Ask the ledger nothing more of these owners in this transaction then.

    Raises:
        StartAgainError: an owner was merged away while we waited for its account; ``Database.run`` tries again.
        HoldExistsError: a hold is reserved twice within ``commands`` (across calls: what ``is_hold_taken`` tells).
        LedgerBrokenError: what is stored contradicts itself.
    """
    async with posting(transaction, commands, held_since=held_since, written_later=written_later) as outcomes:
        return outcomes


async def post_together(
    transaction: Transaction, commands: Sequence[Command], *, written_later: bool = False
) -> list[Posted] | Refused:
    """The same, all or nothing: where a command is refused, its refusal is the answer and none took effect."""
    async with posting(transaction, commands, together=True, written_later=written_later) as outcomes:
        refused = next((outcome for outcome in outcomes if isinstance(outcome, Refused)), None)
        return refused or [outcome for outcome in outcomes if isinstance(outcome, Posted)]


@asynccontextmanager
async def posting(
    transaction: Transaction,
    commands: Sequence[Command],
    *,
    held_since: HeldSince | None = None,
    together: bool = False,
    written_later: bool = False,
) -> AsyncIterator[list[Outcome]]:
    """The same as ``post``, with the outcomes at hand while they are being written.

    What follows from them is computed in the block meanwhile, so that the rows are held for less. The block must not
    use the transaction; after it everything is written. If it raises, the transaction must be rolled back.
    ``together``: a refusal of any of them leaves all unwritten.
    """
    if not commands:
        yield []
        return
    if len(commands) > COMMANDS_MAX:
        raise TooManyCommandsError(f"at most {COMMANDS_MAX} commands a call: post them page by page")
    receivers = [AccountName(one.receiver_id, one.point_type) for one in commands if isinstance(one, Give)]
    owned = [*commands, *receivers] if receivers else commands
    accounts, survivors = await locking.lock_accounts(transaction.raw, owned)
    if held_since is not None:
        held_since.locked()
    if survivors:
        commands = [answered_by(command, survivors) for command in commands]
    needs = needs_of(accounts, commands, transaction.today)
    refunded = await load_refunded(transaction.raw, accounts, commands)
    needs.spare(refunded)
    lots, holds = await repository.load_lots_and_holds(transaction.raw, needs)
    absorbed: list[Absorbed] = []
    if strange := {hold.account_id for hold in holds} - {account.account_id for account in accounts.values()}:
        absorbed = await _absorbed(transaction.raw, sorted(strange), accounts)
    if absorbed:
        holds = await repository.load_holds(transaction.raw, needs.hold_ids)  # now under their accounts' locks
        lots += await repository.load_lots(transaction.raw, survivors_lots(accounts, absorbed, holds))
    indebted = [account.account_id for account in accounts.values() if account.debt]
    owed = await repository.load_debts(transaction.raw, indebted)
    planned = plan(accounts, lots, holds, commands, absorbed, owed, transaction.today, refunded)
    is_refused = together and any(isinstance(outcome, Refused) for outcome in planned.outcomes)
    if is_refused or not planned.transfers:
        yield planned.outcomes
        return
    if written_later and (later := holds_written_later(planned, transaction.now)) is not None:
        transaction.later.extend(later)
        yield planned.outcomes
        return
    async with under_way(write(transaction.raw, planned, transaction.now, is_between_owners=bool(receivers))):
        yield planned.outcomes


async def _absorbed(
    connection: RawConnection, account_ids: Sequence[int], accounts: Mapping[AccountKey, Account]
) -> list[Absorbed]:
    """Those of these accounts whose survivors are ours; a hold on any other is another owner's."""
    found = await locking.lock_absorbed(connection, account_ids)
    return [absorbed for absorbed in found if absorbed.survivor in accounts]
