"""Merging: two owners turned out to be one. accrual alone does this, when the registry says so."""

from datetime import date
from uuid import UUID

from shared.database.engine import Transaction
from shared.ledger import aliases, locking, repository
from shared.ledger.absorbing import MergedPoints, MergingAccounts, plan_merge
from shared.ledger.hold_time import HeldSince
from shared.ledger.needs import Draw, Needs
from shared.ledger.terms import lapse_bound
from shared.ledger.writing import write


class MergedElsewhereError(ValueError):
    """The owner was merged into somebody else before, or the two are to be merged in a circle."""


async def merge(
    transaction: Transaction, merged_id: UUID, survivor_id: UUID, *, held_since: HeldSince | None = None
) -> list[MergedPoints]:
    """Give the survivor all points of another owner, of every type, and let it answer for that owner for ever.

    One transfer a lot, under the reference ``merge:{merged}:{survivor}``; pending lots and debt go too, and what both
    owe is cleared from what both have. Open holds stay where they are: capturing or letting them go follows the alias.
    Points and alias are one commit. Idempotent: owners that are merged already give an empty list. A survivor that was
    merged itself is replaced by its own survivor. Takes both owners' accounts in key order to the commit.

    Raises:
        MergedElsewhereError: nothing was changed.
        LedgerBrokenError: what is stored contradicts itself.
    """
    await aliases.guard(transaction.raw, [merged_id, survivor_id])
    known = await aliases.find_survivors(transaction, [merged_id, survivor_id])
    survivor_id = known.get(survivor_id, survivor_id)
    if merged_id in known:
        if known[merged_id] == survivor_id:
            return []
        raise MergedElsewhereError(f"owner {merged_id} was merged into {known[merged_id]}, not into {survivor_id}")
    if merged_id == survivor_id:
        raise MergedElsewhereError(f"owner {merged_id} would be merged into itself")
    pairs = await locking.lock_merging(transaction.raw, merged_id, survivor_id)
    if held_since is not None:
        held_since.locked()
    reference = f"merge:{merged_id}:{survivor_id}".encode()
    lots = await repository.load_remaining_lots(transaction.raw, [pair.merged.account_id for pair in pairs])
    lots += await repository.load_lots(transaction.raw, _needs_of(pairs, transaction.today))
    indebted = [account.account_id for pair in pairs for account in pair[1:] if account.debt]
    owed = await repository.load_debts(transaction.raw, indebted)
    planned, merged = plan_merge(pairs, lots, owed, reference, transaction.today)
    if planned.transfers:
        await write(transaction.raw, planned, transaction.now, is_between_owners=True)
    await aliases.save(transaction, merged_id, survivor_id)
    return merged


def _needs_of(pairs: list[MergingAccounts], today: date | None) -> Needs:
    """The survivor's own lots matter only where they pay what the other owes."""
    paying = [pair for pair in pairs if pair.merged.debt and pair.survivor.available]
    needs = Needs(draws=[Draw(pair.survivor.account_id, pair.merged.debt, None) for pair in paying])
    if today is not None:
        needs.lapsing, needs.bound = [pair.survivor.account_id for pair in paying], lapse_bound(today)
    return needs
