"""Replace the identifier key: what is known under one valid key comes to be known under the other, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.members.domain.errors import WrongIdentifierKeyError
from services.members.domain.identities import Identities
from services.members.repository import erasure, rekeying
from services.members.repository.rekeying import Lacking, SealedMember
from services.members.sealing.identifiers import open_value
from services.members.sealing.master_keys import MasterKeys
from services.members.sealing.persons import open_person
from services.members.use_cases.identifier_announcements import known_anew
from shared import outbox
from shared.database import Transaction
from shared.ids import key_version_of

MEMBERS_PER_PAGE_MAX = 200


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """What a page came to. ``without_value`` could not be hashed anew: their values were never kept.

    ``last_member_id`` is where the next page starts after, None where nobody follows.
    """

    members: int
    rekeyed: int
    without_value: int
    last_member_id: UUID | None


async def rekey_members(
    transaction: Transaction,
    identities: Identities,
    master_keys: MasterKeys,
    after: UUID | None,
    members_max: int,
) -> Rekeyed:
    """Write every hash that is missing of what leads to the members after ``after``, and tell it as it stands.

    What a till reads is told by IdentifierLinked, or IdentifierRevoked where it was revoked before; nothing else has
    happened to it, and no member's version rises. Idempotent: what has all its hashes is passed over. May be cut off
    anywhere; two may do it at once. Locks the hashes of what lacks one, in their order.

    Raises:
        WrongIdentifierKeyError: a value does not give the hash that it was linked under; nothing is written.
        SealBrokenError: a value cannot be opened.
    """
    member_ids = await rekeying.find_page(transaction, after, members_max)
    found = await rekey(transaction, identities, master_keys, member_ids)
    last_member_id = member_ids[-1] if len(member_ids) == members_max else None
    return Rekeyed(len(member_ids), found[0], found[1], last_member_id)


async def complete_hashes(
    transaction: Transaction, identities: Identities, master_keys: MasterKeys, member_id: UUID
) -> None:
    """Before an erasure: the member is known by every hash that others may keep, so that it can name them all.

    A receipt may wait elsewhere under the hash of a key that the registry has not hashed with yet.
    """
    if identities.keys.second is not None:
        await erasure.stop_links(transaction)
        await rekey(transaction, identities, master_keys, [member_id])


async def rekey(
    transaction: Transaction,
    identities: Identities,
    master_keys: MasterKeys,
    member_ids: Sequence[UUID],
) -> tuple[int, int]:
    """The same for these members: how many hashes were written, and how much has no value."""
    lacking = await rekeying.lock_lacking(transaction, member_ids, identities.keys.versions)
    owners = {one.identifier.member_id for one in lacking}
    sealed = await rekeying.load_sealed(transaction, owners) if lacking else {}
    twins: dict[str, str] = {}
    without_value = 0
    for of_one in _by_identifier(lacking):
        value = _value_of(of_one, sealed, identities, master_keys)
        if value is None:
            without_value += 1
            continue
        held = max((one.identifier for one in of_one), key=lambda identifier: identifier.version)
        known = {one.identifier.hash for one in of_one}
        twins |= {each: held.hash for each in _hashes(of_one[0], value, identities) if each not in known}
    written = await rekeying.insert_twins(transaction, twins) if twins else []
    await outbox.record(transaction, [known_anew(identifier, transaction.now) for identifier in written])
    return len(twins), without_value


def _by_identifier(lacking: Sequence[Lacking]) -> list[list[Lacking]]:
    grouped: dict[UUID | None, list[Lacking]] = {}
    for one in lacking:
        grouped.setdefault(one.identifier.identifier_id, []).append(one)
    return list(grouped.values())


def _value_of(
    of_one: Sequence[Lacking],
    sealed: dict[UUID, SealedMember],
    identities: Identities,
    master_keys: MasterKeys,
) -> str | None:
    """The value that its hashes were made of; None where nobody has kept it."""
    member_id = of_one[0].identifier.member_id
    if member_id not in sealed:
        return None
    key = master_keys.unwrap(sealed[member_id].key, member_id)
    kept = next((one.sealed_value for one in of_one if one.sealed_value is not None), None)
    if kept is not None:
        value = open_value(key, kept)
        if not _gives(of_one, value, identities):
            raise WrongIdentifierKeyError(
                "an identifier's value does not give the hash that it was linked under: a key or its version is not "
                "the one that it was; put the right ones into TESSERA_IDENTIFIER_KEY and TESSERA_IDENTIFIER_KEY_SECOND"
            )
        return value
    person = sealed[member_id].person
    if not of_one[0].is_email or person is None:
        return None
    email = open_person(key, person).email  # an address of somebody who was merged into the member is another one
    return email if _gives(of_one, email, identities) else None


def _gives(of_one: Sequence[Lacking], value: str, identities: Identities) -> bool:
    """Whether the hashes that are there are the value's; of a key that is valid no more nobody can tell."""
    own = {one.identifier.hash for one in of_one if key_version_of(one.identifier.hash) in identities.keys.versions}
    return own <= set(_hashes(of_one[0], value, identities))


def _hashes(one: Lacking, value: str, identities: Identities) -> tuple[str, ...]:
    return identities.email_hashes(value) if one.is_email else identities.claim(one.identifier.type, value).hashes
