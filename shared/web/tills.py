"""Till keys, and the tills they stand for."""

import hashlib
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from shared.web.principal import TillIdentity

# A till posts every few seconds: without this, each receipt would cost a transaction to find out who posts it. A
# revoked key is refused this much later, beside the time that its revocation takes to arrive.
FOUND_TILL_SECONDS = 5.0
FOUND_TILLS_MAX = 10_000

FindTill: TypeAlias = Callable[[str], Awaitable[TillIdentity | None]]

_TILL_KEY = re.compile(r"^tk_[A-Za-z0-9_-]{43}$")


def is_till_key(credential: str) -> bool:
    """Whether this has the form of a till's key: ``tk_`` and 256 random bits in base64url."""
    return _TILL_KEY.match(credential) is not None


def till_key_sha256(till_key: str) -> str:
    """What is stored of a till's key, in hex: the key has 256 random bits, so a plain digest gives nothing away."""
    return hashlib.sha256(till_key.encode()).hexdigest()


class KnownTills:
    """Remembers the tills that were found, for ``FOUND_TILL_SECONDS``; one that was not is looked for again."""

    def __init__(self, find_till: FindTill, monotonic_seconds: Callable[[], float] = time.monotonic) -> None:
        self._find_till = find_till
        self._monotonic_seconds = monotonic_seconds
        self._found: OrderedDict[str, tuple[TillIdentity, float]] = OrderedDict()

    async def find(self, till_key: str) -> TillIdentity | None:
        """The till with this key, unless it is unknown or revoked."""
        key_sha256 = till_key_sha256(till_key)
        remembered = self._found.get(key_sha256)
        if remembered is not None and remembered[1] > self._monotonic_seconds():
            return remembered[0]
        self._found.pop(key_sha256, None)
        till = await self._find_till(key_sha256)
        if till is not None:
            self._found[key_sha256] = (till, self._monotonic_seconds() + FOUND_TILL_SECONDS)
            if len(self._found) > FOUND_TILLS_MAX:
                self._found.popitem(last=False)
        return till
