"""Find members who may be one person: whoever is new or was corrected is held against whoever shares a block.

Persons are opened in memory, and only scores leave it. Nobody is shown anything: this is no access to be recorded.
"""

from collections.abc import Collection, Mapping, Sequence
from itertools import combinations
from uuid import UUID

from services.members.domain.duplicates import BlockingKey, Candidate, blocks_of, compare
from services.members.domain.registry import Person
from services.members.metrics import BLOCKS_SKIPPED
from services.members.repository import duplicates
from services.members.repository.duplicates import SealedMember
from services.members.sealing.master_keys import MasterKeys
from services.members.sealing.persons import open_person
from shared.database import Database, Transaction
from shared.database.under_way import in_slices

PAGE_MEMBERS_MAX = 100
PAGES_A_PASS_MAX = 200
# More than that at one address are a home or an office, and tell nothing.
BLOCK_MEMBERS_MAX = 50

_BEFORE_ALL = UUID(int=0)


class DuplicateFinder:
    """Compares who is still to be compared, page by page. May be cut off anywhere; several may do it at once.

    A page writes its members' blocks first, commits, and then looks who shares them: of two who are compared by two
    workers at once, whoever looks last sees the other.
    """

    def __init__(
        self, database: Database, master_keys: MasterKeys, blocking_key: BlockingKey, score_percent_min: int
    ) -> None:
        self._database = database
        self._master_keys = master_keys
        self._blocking_key = blocking_key
        self._score_percent_min = score_percent_min

    async def find_all(self) -> None:
        """Everybody who waits, up to ``PAGES_A_PASS_MAX`` pages.

        Raises:
            MasterKeyMissingError, SealBrokenError: a person cannot be opened.
        """
        after = _BEFORE_ALL
        for _ in range(PAGES_A_PASS_MAX):
            last = await self._page(after)
            if last is None:
                return
            after = last

    async def _page(self, after: UUID) -> UUID | None:
        """The next page; the last id of it, or None where nobody is left."""

        async def write_blocks(transaction: Transaction) -> tuple[UUID | None, dict[UUID, int]]:
            return await self._write_blocks(transaction, after)

        last, awaited = await self._database.run(write_blocks)
        if awaited:
            found, versions = await self._look(awaited)
            await self._database.run(lambda transaction: _save(transaction, awaited, versions, found))
        return last

    async def _write_blocks(self, transaction: Transaction, after: UUID) -> tuple[UUID | None, dict[UUID, int]]:
        """Let a page's members have their blocks; the last id and the versions of those who are to be compared."""
        locked = await duplicates.lock_awaited(transaction, after, PAGE_MEMBERS_MAX)
        members = await duplicates.load_persons(transaction, locked)
        persons = await in_slices(self._open, members)
        blocks: dict[UUID, Collection[int]] = dict.fromkeys(locked, ())
        for member, person in zip(members, persons, strict=True):
            blocks[member.member_id] = blocks_of(self._blocking_key, person)
        await duplicates.save_blocks(transaction, blocks)
        versions = {member.member_id: member.version for member in members}
        await duplicates.settle_awaited(transaction, set(locked) - versions.keys())  # they take no part any more
        return (locked[-1] if locked else None), versions

    async def _look(self, awaited: Mapping[UUID, int]) -> tuple[list[Candidate], dict[UUID, int]]:
        """Who is alike enough to one of these, and at which versions of the members that is so."""
        async with self._database.transaction() as transaction:
            shared, skipped = await duplicates.load_shared(transaction, awaited, BLOCK_MEMBERS_MAX)
            members = await duplicates.load_persons(transaction, {each for block in shared for each in block})
        BLOCKS_SKIPPED.inc(skipped)
        opened = await in_slices(self._open, members)
        persons = {member.member_id: person for member, person in zip(members, opened, strict=True)}

        def judge(pair: tuple[UUID, UUID]) -> Candidate:
            first, second = pair
            return Candidate(first, second, compare(persons[first], persons[second]))

        judged = await in_slices(judge, _pairs(shared, awaited, persons))
        found = [each for each in judged if each.likeness.score_percent >= self._score_percent_min]
        return found, {member.member_id: member.version for member in members}

    def _open(self, member: SealedMember) -> Person:
        return open_person(self._master_keys.unwrap(member.person.key, member.member_id), member.person.sealed)


def _pairs(
    shared: Sequence[Sequence[UUID]], awaited: Collection[UUID], known: Collection[UUID]
) -> list[tuple[UUID, UUID]]:
    """Each pair of known members who share a block, if one of them is awaited; once, in order."""
    pairs = {
        (first, second)
        for block in shared
        for first, second in combinations(sorted(block), 2)
        if (first in awaited or second in awaited) and first in known and second in known
    }
    return sorted(pairs)


async def _save(
    transaction: Transaction, awaited: Mapping[UUID, int], versions: Mapping[UUID, int], found: Sequence[Candidate]
) -> None:
    """Write what was found of members who are as they were, under their locks.

    Somebody who was changed meanwhile, and whoever was found to be like him, wait for the next pass.
    """
    seen = dict(versions) | dict(awaited)
    concerned = awaited.keys() | {each for pair in found for each in (pair.first_id, pair.second_id)}
    locked = await duplicates.lock_versions(transaction, concerned)
    changed = {member_id for member_id in concerned if locked.get(member_id) != seen[member_id]}
    kept, waiting = [], set(changed)
    for pair in found:
        both = {pair.first_id, pair.second_id}
        if changed.isdisjoint(both):
            kept.append(pair)
        else:
            waiting |= both
    await duplicates.save_candidates(transaction, kept)
    await duplicates.settle_awaited(transaction, awaited.keys() - waiting)
