"""Whose identifier is this? Changes nothing."""

import asyncio
from collections.abc import Mapping, Sequence

from services.members.domain.linking import choose_identifier
from services.members.domain.registry import Claim, Identifier, IdentifierKind
from services.members.repository import identifiers
from shared.database import Database
from shared.database.live_batch import LiveBatch


class IdentifierDesk:
    """Answers tills. Those who ask at the same time share a statement, which is all of its transaction."""

    def __init__(self, database: Database, match_order: Sequence[IdentifierKind]) -> None:
        self._database = database
        self._match_order = tuple(match_order)
        self._lookups = LiveBatch(self._load)

    async def resolve(self, claims: Sequence[Claim]) -> Identifier:
        """Of what a till has read, the identifier that counts: the first in the programme's order that is in use.

        Whoever asks after a change was committed sees it.

        Raises:
            IdentifierUnknownError: none is anybody's.
            IdentifierNotActiveError: those that are somebody's were blocked, lost or replaced.
        """
        hashes = [each for claim in claims for each in claim.hashes]
        found = await asyncio.gather(*map(self._lookups.find, hashes))
        return choose_identifier([identifier for identifier in found if identifier is not None], self._match_order)

    async def _load(self, hashes: Sequence[str]) -> Mapping[str, Identifier]:
        async with self._database.statements() as connection:
            return await identifiers.find_identifiers(connection, hashes)
