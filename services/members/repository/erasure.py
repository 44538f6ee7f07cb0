"""Statements that destroy what leads to a person. ``ERASED`` is the whole list: whoever keeps more adds to it."""

from collections.abc import Sequence
from uuid import UUID

from services.members.domain.erasure import HeldHash
from services.members.repository.registry import EMAIL_TYPE
from shared.database import Transaction

# Whoever links an identifier holds this table in ROW EXCLUSIVE mode (see registry.NEXT_VERSION). So this waits until
# links under way are committed, and those that come wait here before they have looked at anything.
STOP_LINKS = "lock table identifier_versions in share row exclusive mode"

LOCK_HASHES = """
    select identifier_hash, identifier_type, version from identifiers
    where member_id = $1
    order by identifier_hash collate "C"
    for update
"""

# Whoever the member answers for: those rows are blanked with it. All at once, in the order of ids, as everybody does.
LOCK_ANSWERED_FOR = """
    select member_id from members where member_id = $1 or merged_into = $1 order by member_id for no key update
"""

# They stay merged; that nothing leads to them is told of each, since what is told of them travels under their own ids.
RAISE_ANSWERED_FOR = """
    update members set version = version + 1 where merged_into = $1 returning member_id, version
"""

RAISE_VERSIONS = "update identifier_versions set erased_max = greatest(erased_max, $1)"

# The member and those merged into it, of whom a merge does not hand everything over.
_ALL = "(select member_id from members where member_id = $1 or merged_into = $1)"

# The member's row stays, with nothing that tells one member from another but the id that the ledger knows. The keys
# of answers stay too: a retry of an enrolment must not enrol again what was erased since.
ERASED = (
    "delete from persons where member_id = $1",
    "delete from member_keys where member_id = $1",
    "delete from identifiers where member_id = $1",
    """
    delete from consent_confirmations
    where statement_id in (select statement_id from consent_statements where member_id = $1)
    """,
    f"delete from field_checks where member_id in {_ALL}",
    f"delete from member_pins where member_id in {_ALL}",
    "delete from person_blocks where member_id = $1",
    "delete from awaited_comparisons where member_id = $1",
    "delete from duplicates where first_member_id = $1 or second_member_id = $1",
    "delete from member_attributes where member_id = $1",
    "delete from attribute_entries where member_id = $1",
    f"delete from referral_codes where member_id in {_ALL}",
    f"delete from referrals where member_id in {_ALL} or referrer_id in {_ALL}",
    "update consent_statements set proof = null where member_id = $1 and proof is not null",
    "update terms_acceptances set proof = null where member_id = $1 and proof is not null",
    """
    update members
    set language = 'und', region = null, birth_month = null, birth_day = null, contact_changed_at = null
    where member_id = $1 or merged_into = $1
    """,
    """
    update idempotency set request_hash = '', body = ''
    where member_of_answer(body) in (
        select ($1::uuid)::text
        union all
        select member_id::text from members where merged_into = $1  -- whoever the member answers for
    )
    """,
)


async def stop_links(transaction: Transaction) -> None:
    """Let what is being linked end, and nothing begin, until the commit."""
    await transaction.raw.execute(STOP_LINKS)


async def lock_hashes(transaction: Transaction, member_id: UUID) -> list[HeldHash]:
    """Every hash that leads to the member, locked in their order; no other can come to be before the commit."""
    await stop_links(transaction)
    return [
        HeldHash(row["identifier_hash"], row["identifier_type"] == EMAIL_TYPE, row["version"])
        for row in await transaction.raw.fetch(LOCK_HASHES, member_id)
    ]


async def lock_answered_for(transaction: Transaction, member_id: UUID) -> list[UUID]:
    """The member and those merged into it, locked in the order of their ids; empty where there is no such member."""
    return [row["member_id"] for row in await transaction.raw.fetch(LOCK_ANSWERED_FOR, member_id)]


async def raise_answered_for(transaction: Transaction, member_id: UUID) -> list[tuple[UUID, int]]:
    """Raise the versions of those merged into the member, who are locked; they come back in the order of their ids."""
    rows = await transaction.raw.fetch(RAISE_ANSWERED_FOR, member_id)
    return sorted((row["member_id"], row["version"]) for row in rows)


async def destroy(transaction: Transaction, member_id: UUID, hashes: Sequence[HeldHash]) -> None:
    """Destroy everything that leads to the person behind a locked member whose hashes are locked."""
    await transaction.raw.execute(RAISE_VERSIONS, max((held.version for held in hashes), default=0))
    for statement in ERASED:
        await transaction.raw.execute(statement, member_id)
