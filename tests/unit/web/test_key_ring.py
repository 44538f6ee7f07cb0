"""One issuer's keys: what becomes of them, and of those who wait, while the issuer does not answer."""

import asyncio

import pytest

from shared.web import KeysUnavailableError, key_ring
from shared.web.key_ring import KeyRing
from shared.web.keys import Keys, read_keys
from tests.support.tokens import Issuer
from tests.support.until import until

OLD, NEW = Issuer("old"), Issuer("new")


class Source:
    """Gives what it has; nothing is an issuer that is away."""

    def __init__(self) -> None:
        self.keys: Keys | None = read_keys(OLD.jwks)
        self.asked = 0

    async def fetch(self) -> Keys:
        self.asked += 1
        if self.keys is None:
            raise KeysUnavailableError("away")
        return self.keys


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_ring, "UNKNOWN_KEY_PAUSE_SECONDS", 0.0)


async def test_while_the_issuer_is_away_nobody_asks_it_for_an_unknown_key() -> None:
    source = Source()
    ring = KeyRing(source, name="corp")
    await ring.refresh()
    source.keys = None
    assert await ring.find("new") is None  # this one asked, and found nobody there
    for _ in range(5):
        assert await ring.find("new") is None
        assert await ring.find("old") is not None
    assert (source.asked, ring.generation) == (2, 1)


async def test_a_look_that_failed_makes_the_background_ask_again_soon() -> None:
    source = Source()
    ring = KeyRing(source, name="corp", retry_seconds=0.0)
    running = asyncio.create_task(ring.run())
    await until(lambda: ring.has_loaded)
    source.keys = None
    assert await ring.find("new") is None
    source.keys = read_keys([*OLD.jwks, *NEW.jwks])  # long before KEYS_REFRESH_SECONDS
    await until(lambda: ring.generation == 2)
    assert await ring.find("new") is not None
    running.cancel()
