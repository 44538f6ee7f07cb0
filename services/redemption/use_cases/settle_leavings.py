"""What stays with a household when a member leaves it goes to the heir whom the registry named."""

from collections.abc import Sequence
from uuid import UUID

from services.redemption.domain.leaving import Leaving, Outcome, reason_to_keep
from services.redemption.repository import leavings as repository
from services.redemption.use_cases.messages import left_behind_message
from shared import ledger, outbox
from shared.database import Transaction
from shared.events.members import HouseholdChanged, MemberEvent
from shared.ledger import Give, Posted, Refused
from shared.outbox import Message

LEAVINGS_PER_BATCH_MAX = 10  # each is settled by itself, while the accounts of all are locked


class TooManyLeavingsError(ValueError):
    """More leavings than one transaction may settle. Nothing was changed: take in half of the events."""


async def claim_leavings(transaction: Transaction, events: Sequence[MemberEvent]) -> list[Leaving]:
    """The leavings that these events tell of and nobody has settled, each claimed for ever. Comes before any lock.

    Whatever else has been heard of the household does not matter: an old event after a new one still moves the points.

    Raises:
        TooManyLeavingsError: the transaction must be rolled back.
    """
    told = {
        Leaving(
            event.data.household_id,
            event.data.version,
            leaver.member_id,
            leaver.member_version,
            leaver.heir_id,
            leaver.left_at,
        )
        for event in events
        if isinstance(event, HouseholdChanged) and (leaver := event.data.leaver) is not None
    }
    claimed = await repository.claim_leavings(transaction, told) if told else []
    if len(claimed) > LEAVINGS_PER_BATCH_MAX:
        raise TooManyLeavingsError(f"at most {LEAVINGS_PER_BATCH_MAX} leavings are settled in one transaction")
    return claimed


def parties_of(leavings: Sequence[Leaving]) -> set[UUID]:
    """Who left and who is to be given what stays: their rows are locked with all others."""
    return {member_id for leaving in leavings for member_id in (leaving.member_id, leaving.heir_id)}


async def settle_leavings(
    transaction: Transaction, leavings: Sequence[Leaving], point_types: Sequence[str]
) -> list[tuple[Leaving, Outcome]]:
    """Give what the leavers had when they left, and have still, to the heirs; how each was settled.

    The caller has claimed the leavings and locked everybody whom they name. Locks all their accounts in the ledger in
    key order, to the commit; what was given, and its event, are one commit with the claims. Given is what is available
    less what has come since the member left: that, and what is held or pending, stays with the leaver. So of each of
    the ``point_types`` that are spent (the programme's own first), a gift each; what is written of a leaving is how it
    was settled of the first of which anything was given.
    """
    if not leavings:
        return []
    known = await repository.find_known(transaction, sorted(parties_of(leavings)))
    kept = {leaving: reason for leaving in leavings if (reason := reason_to_keep(leaving, known)) is not None}
    unmerged = await _lock_accounts(transaction, [one for one in leavings if one not in kept], point_types)
    settled: list[tuple[Leaving, Outcome]] = []
    messages: list[Message] = []
    for leaving in leavings:  # one after the other: an heir may have left in turn
        outcome: Posted | Outcome
        if leaving in kept:
            outcome = kept[leaving]
        elif leaving.member_id not in unmerged:
            outcome = "leaver_merged"
        else:
            outcome = "nothing_left"
            for point_type in point_types:
                gift = await _give(transaction, leaving, point_type)
                if isinstance(gift, Posted):
                    balances = await ledger.load_balances(transaction, [leaving.member_id, leaving.heir_id], point_type)
                    gift_id = leaving.gift_of(None if point_type == point_types[0] else point_type)
                    messages.append(left_behind_message(transaction, leaving, gift, balances, gift_id))
                if not isinstance(outcome, Posted) and gift != "nothing_left":
                    outcome = gift
        points = outcome.points if isinstance(outcome, Posted) else 0
        settled.append((leaving, "given" if isinstance(outcome, Posted) else outcome))
        await repository.save_outcome(transaction, *settled[-1], points)
    if messages:
        await outbox.record(transaction, messages)
    return settled


async def _lock_accounts(
    transaction: Transaction, leavings: Sequence[Leaving], point_types: Sequence[str]
) -> set[UUID]:
    """Lock the accounts of all who give or receive; whose those are by now: who was merged away is not among them."""
    if not leavings:
        return set()
    return await ledger.lock_accounts(transaction, sorted(parties_of(leavings)), point_types)


async def _give(transaction: Transaction, leaving: Leaving, point_type: str) -> Posted | Outcome:
    balances = await ledger.load_balances(transaction, [leaving.member_id], point_type)
    since = await ledger.load_credited_since(
        transaction, leaving.member_id, point_type, leaving.left_at, apart_from=leaving.household_reference
    )
    points = balances[leaving.member_id].available - sum(since.values())
    if points <= 0:
        return "nothing_left"
    own = tuple(since.items())  # what is the leaver's own stays in the lots that it came to
    give = Give(leaving.member_id, point_type, leaving.reference, leaving.heir_id, "leave", points, spared=own)
    [outcome] = await ledger.post(transaction, [give])
    if isinstance(outcome, Refused):
        if outcome.reason != "same_owner":
            raise RuntimeError(f"the ledger refused to give what is there: {outcome.reason}")
        return "same_owner"
    return outcome
