"""Link an identifier to a member: receipts that bear it are the member's from now on."""

from uuid import UUID

from services.members.domain.identifier_states import Statement
from services.members.domain.linking import judge_link
from services.members.domain.registry import Claim, Identifier, newest_hashes
from services.members.repository import claiming, identifiers, persons, registry
from services.members.sealing.identifiers import seal_value
from services.members.sealing.master_keys import MasterKeys
from services.members.use_cases import announcements, identifier_announcements
from services.members.use_cases.admit_cards import admit_cards
from shared import outbox
from shared.database import Transaction

LINKED = "linked"


async def link_identifier(
    transaction: Transaction,
    member_id: UUID,
    claim: Claim,
    author: str,
    master_keys: MasterKeys,
    *,
    reason_code: str = LINKED,
) -> Identifier:
    """Give the member an identifier that nobody has, and record an IdentifierLinked for each of its hashes.

    Idempotent: an identifier that is this member's already is answered as it is, and nothing happens, unless it was
    not known under every valid key: then it is from now on, and that is told. Locks the identifier, then the member.

    Raises:
        CardNotIssuedError: it is a card of a range that may not be linked.
        MemberNotFoundError, IdentifierTakenError: the transaction must be rolled back.
    """
    await admit_cards(transaction, [claim])
    sealed = await seal_for(transaction, member_id, claim, master_keys)
    claimed = await claiming.claim_identifier(transaction, member_id, claim, sealed)
    judge_link(await registry.lock_member(transaction, member_id), claimed.identifier)
    if claimed.is_new:
        linked = list(claimed.fresh)
        await registry.raise_member_version(transaction, member_id)
        await identifiers.record_change(
            transaction, claimed.identifier, "link", "issued", Statement(reason_code, author)
        )
        messages = [announcements.linked(identifier) for identifier in linked]
    else:
        linked = await claiming.join_twins(transaction, claimed, sealed)
        messages = [identifier_announcements.known_anew(identifier, transaction.now) for identifier in linked]
    await outbox.record(transaction, messages)
    return newest_hashes([*claimed.held, *linked])[0]


async def seal_for(transaction: Transaction, member_id: UUID, claim: Claim, master_keys: MasterKeys) -> bytes | None:
    """The claim's value under the member's key; None where nobody is known behind the member, who gets nothing then."""
    key = await persons.find_key(transaction, member_id)
    return None if key is None else seal_value(master_keys.unwrap(key, member_id), claim)
