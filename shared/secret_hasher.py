"""Argon2 for secrets that may be weak: what a programme chose as a client's secret, what a member chose as a PIN."""

import asyncio
import secrets
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

P = ParamSpec("P")
T = TypeVar("T")

NOBODYS_BYTES = 32

# OWASP's least for Argon2id: about 35 ms and 19 MiB each. The library's default takes 64 MiB: four at once would be
# more than a whole process may have.
HASH_TIME_COST = 2
HASH_MEMORY_KIB = 19_456
HASH_PARALLELISM = 1

HASHES_AT_ONCE_MAX = 4
HASHES_WAITING_MAX = 64


class HasherBusyError(Exception):
    """Too many wait for a secret to be hashed: worth another try in a moment."""


class SecretHasher:
    """Argon2, beside the event loop, at most ``HASHES_AT_ONCE_MAX`` at once and ``HASHES_WAITING_MAX`` waiting."""

    def __init__(self) -> None:
        self._argon2 = PasswordHasher(
            time_cost=HASH_TIME_COST, memory_cost=HASH_MEMORY_KIB, parallelism=HASH_PARALLELISM
        )
        self._slots = asyncio.Semaphore(HASHES_AT_ONCE_MAX)
        self._waiting = 0
        # What a stranger's secret is compared with, so that the time does not tell which clients there are.
        self._nobodys_hash = self._argon2.hash(secrets.token_urlsafe(NOBODYS_BYTES))

    async def hash(self, secret: str) -> str:
        """The salted hash to store.

        Raises:
            HasherBusyError: too many wait.
        """
        return await self._in_thread(self._argon2.hash, secret)

    async def verify(self, secret_hash: str | None, secret: str) -> bool:
        """Whether the secret is the one behind the hash; without a hash it never is, and takes as long to say so.

        Raises:
            HasherBusyError: too many wait.
        """
        matches = await self._in_thread(self._matches, secret_hash or self._nobodys_hash, secret)
        return matches and secret_hash is not None

    def _matches(self, secret_hash: str, secret: str) -> bool:
        try:
            return self._argon2.verify(secret_hash, secret)
        except VerificationError:
            return False

    async def _in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._waiting >= HASHES_WAITING_MAX:
            raise HasherBusyError("too many secrets are being checked: try again in a moment")
        self._waiting += 1
        try:
            async with self._slots:
                return await asyncio.to_thread(work, *args, **kwargs)
        finally:
            self._waiting -= 1
