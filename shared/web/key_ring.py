"""The keys of one issuer in memory: fetched in the background, and looked for once when a token bears a new one."""

import asyncio
import time
from contextlib import suppress

import structlog

from shared.web.keys import Keys, KeySource, KeysUnavailableError, PublishedKey
from shared.web.metrics import KEY_FETCHES

KEYS_REFRESH_SECONDS = 300.0
KEYS_RETRY_SECONDS = 1.0
# Somebody else's server that is down is not asked every second.
EXTERNAL_RETRY_SECONDS = 10.0
UNKNOWN_KEY_PAUSE_SECONDS = 10.0

log = structlog.get_logger(__name__)


class KeyRing:
    """One issuer's keys by ``kid``. ``name`` labels the metric and the log: ``own``, or the issuer's prefix.

    A fetch that fails changes nothing: an issuer that is down costs no key that was known. ``generation`` rises with
    every fetch that worked, so that whoever remembers what a key vouched for asks again.
    """

    def __init__(self, source: KeySource, *, name: str, retry_seconds: float = KEYS_RETRY_SECONDS) -> None:
        self._source = source
        self._name = name
        self.retry_seconds = retry_seconds
        self._keys: Keys = {}
        self._looked_at_seconds = -UNKNOWN_KEY_PAUSE_SECONDS
        self._looking = asyncio.Lock()
        self._is_failing = asyncio.Event()  # the last fetch failed
        self.generation = 0

    @property
    def has_loaded(self) -> bool:
        """Whether keys were fetched at least once."""
        return self.generation > 0

    async def run(self) -> None:
        """Fetch the keys now and every ``KEYS_REFRESH_SECONDS`` until cancelled, which is safe at any moment."""
        while True:
            await self.refresh()
            with suppress(TimeoutError):
                async with asyncio.timeout(KEYS_REFRESH_SECONDS):
                    await self._is_failing.wait()
            if self._is_failing.is_set():
                await asyncio.sleep(self.retry_seconds)

    async def refresh(self) -> bool:
        """Fetch the keys once; whether it worked."""
        try:
            keys = await self._source.fetch()
            if not keys:
                raise KeysUnavailableError("the issuer publishes no key")  # noqa: TRY301 -- the same to us as silence
        except KeysUnavailableError as error:
            self._is_failing.set()
            KEY_FETCHES.labels(self._name, "failed").inc()
            log.warning(
                "the token issuer's keys cannot be fetched",
                issuer=self._name,
                reason=str(error),
                has_older=self.has_loaded,
            )
            return False
        KEY_FETCHES.labels(self._name, "loaded").inc()
        self._is_failing.clear()
        self._keys = keys
        self.generation += 1
        return True

    async def find(self, kid: str) -> PublishedKey | None:
        """The key, after a look at a fresh set where it is not known. However many strangers call, we ask rarely.

        While the issuer does not answer nobody is made to wait for it: ``run`` asks it again.
        """
        known = self._keys.get(kid)
        if known is not None:
            return known
        async with self._looking:
            has_paused = time.monotonic() - self._looked_at_seconds >= UNKNOWN_KEY_PAUSE_SECONDS
            if kid not in self._keys and has_paused and not self._is_failing.is_set():
                self._looked_at_seconds = time.monotonic()
                await self.refresh()
            return self._keys.get(kid)
