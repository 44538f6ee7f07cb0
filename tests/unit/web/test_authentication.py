"""Who is let in, who is not, and what they are told."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import APIRouter, Depends

from shared.web import (
    Authenticator,
    KeysUnavailableError,
    Principal,
    Problem,
    StaticKeySource,
    TillIdentity,
    create_app,
    requires,
    till_key_sha256,
    unprotected_routes,
)
from shared.web.authentication import UNKNOWN_KEY_PAUSE_SECONDS
from shared.web.keys import Keys, read_keys
from shared.web.tills import FOUND_TILL_SECONDS, KnownTills
from tests.support.tokens import ISSUER, Issuer
from tests.support.until import until

router = APIRouter(prefix="/v1")


@router.get("/balance")
async def balance(principal: Annotated[Principal, requires("balances:read")]) -> dict[str, Any]:
    """Who asked."""
    return {
        "client_id": principal.client_id,
        "partner_id": principal.partner_id,
        "store_id": principal.store_id,
        "till_id": principal.till_id,
    }


@router.post("/partners")
async def partners(principal: Annotated[Principal, requires("partners:write")]) -> str:
    """Something that a till may not do."""
    return principal.client_id


@router.get("/forgotten")
async def forgotten() -> None:
    """A route whose author forgot its scope."""


issuer = Issuer()
till_key = "tk_" + secrets.token_urlsafe(32)


async def find_till(key_sha256: str) -> TillIdentity | None:
    return TillIdentity("north", "S-1", "T-1") if key_sha256 == till_key_sha256(till_key) else None


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    authenticator = Authenticator(StaticKeySource(issuer.jwks), issuer=ISSUER, find_till=find_till)
    await authenticator.refresh()
    app = create_app(title="test", authenticator=authenticator, routers=[router])
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as opened:
        yield opened


def bearer(credential: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential}"}


@pytest.mark.parametrize("alg", ["Ed25519", "EdDSA"])
async def test_a_good_token_is_let_in(client: httpx2.AsyncClient, alg: str) -> None:
    token = issuer.token("balances:read partners:read", alg=alg, sub="till-link", partner_id="north")

    for _ in range(2):  # the second time from memory
        answer = await client.get("/v1/balance", headers=bearer(token))
        assert answer.status_code == 200
        assert answer.json() == {"client_id": "till-link", "partner_id": "north", "store_id": None, "till_id": None}


def at(seconds: int) -> int:
    """So many seconds from now."""
    return int(time.time()) + seconds


@pytest.mark.parametrize(
    "credential",
    [
        pytest.param(dict, id="nothing"),
        pytest.param(lambda: {"Authorization": "Basic dXNlcjpwYXNz"}, id="another scheme"),
        pytest.param(lambda: bearer(""), id="an empty token"),
        pytest.param(lambda: bearer("garbage"), id="garbage"),
        pytest.param(lambda: bearer("a.b.c"), id="three parts of garbage"),
        pytest.param(lambda: bearer("x" * 5000), id="a very long token"),
        pytest.param(lambda: bearer(issuer.token("balances:read", exp=at(-60), iat=at(-900))), id="expired"),
        pytest.param(lambda: bearer(issuer.token("balances:read", exp=None)), id="without an end"),
        pytest.param(lambda: bearer(issuer.token("balances:read", exp=True)), id="an end that is no number"),
        pytest.param(lambda: bearer(issuer.token("balances:read", exp=at(86_400))), id="living for a day"),
        pytest.param(lambda: bearer(issuer.token("balances:read", nbf=at(300))), id="not valid yet"),
        pytest.param(lambda: bearer(issuer.token("balances:read", iat=at(300))), id="issued in the future"),
        pytest.param(lambda: bearer(issuer.token("balances:read", aud="other")), id="for another audience"),
        pytest.param(lambda: bearer(issuer.token("balances:read", aud=None)), id="for no audience"),
        pytest.param(
            lambda: bearer(issuer.token("balances:read", iss="https://evil.invalid")), id="from another issuer"
        ),
        pytest.param(lambda: bearer(issuer.token("balances:read", sub=None)), id="without a client"),
        pytest.param(lambda: bearer(issuer.token("balances:read", sub="north/S-1/T-1")), id="pretending to be a till"),
        pytest.param(lambda: bearer(issuer.token("balances:read", partner_id="")), id="with an empty partner"),
        pytest.param(lambda: bearer(issuer.token("balances:read", partner_id=7)), id="with a number for a partner"),
        pytest.param(lambda: bearer(Issuer("test-key").token("balances:read")), id="another key under the same name"),
        pytest.param(lambda: bearer(Issuer("other-key").token("balances:read")), id="an unknown key"),
        pytest.param(lambda: bearer(issuer.forged_with_secret("balances:read")), id="another algorithm"),
        pytest.param(lambda: bearer(issuer.token("balances:read")[:-4] + "AAAA"), id="a changed signature"),
        pytest.param(lambda: bearer("tk_" + secrets.token_urlsafe(32)), id="an unknown till key"),
        pytest.param(lambda: bearer("tk_short"), id="a malformed till key"),
    ],
)
async def test_a_bad_credential_is_401(client: httpx2.AsyncClient, credential: Callable[[], dict[str, str]]) -> None:
    answer = await client.get("/v1/balance", headers=credential())

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith('Bearer realm="tessera"')
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"].endswith("/unauthenticated")


async def test_an_unsigned_token_is_401(client: httpx2.AsyncClient) -> None:
    head, payload, _ = issuer.token("balances:read").split(".")
    none = "eyJhbGciOiJub25lIn0"

    for token in (f"{none}.{payload}.", f"{head}.{payload}."):
        assert (await client.get("/v1/balance", headers=bearer(token))).status_code == 401


async def test_a_missing_scope_is_403_and_named(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/v1/partners", headers=bearer(issuer.token("balances:read partners:read")))

    assert answer.status_code == 403
    assert answer.json()["scope"] == "partners:write"
    assert "partners:write" in answer.json()["detail"]
    assert 'scope="partners:write"' in answer.headers["www-authenticate"]


async def test_a_till_key_is_let_in_with_a_tills_scopes(client: httpx2.AsyncClient) -> None:
    allowed = await client.get("/v1/balance", headers=bearer(till_key))
    refused = await client.post("/v1/partners", headers=bearer(till_key))

    assert allowed.json() == {
        "client_id": "north/S-1/T-1",
        "partner_id": "north",
        "store_id": "S-1",
        "till_id": "T-1",
    }
    assert refused.status_code == 403


async def test_a_token_expires_though_it_was_good_before() -> None:
    now = at(0)
    seconds = float(now)
    authenticator = Authenticator(StaticKeySource(issuer.jwks), issuer=ISSUER, now_seconds=lambda: seconds)
    await authenticator.refresh()
    token = issuer.token("balances:read", iat=now, exp=now + 60)
    await authenticator.authenticate(token)

    seconds = now + 66.0

    with pytest.raises(Problem) as refused:
        await authenticator.authenticate(token)
    assert refused.value.status == 401


async def test_a_withdrawn_key_lets_nobody_in() -> None:
    source = ChangingKeys()
    authenticator = Authenticator(source, issuer=ISSUER)
    source.keys = read_keys(issuer.jwks)
    await authenticator.refresh()
    token = issuer.token("balances:read")
    await authenticator.authenticate(token)

    source.keys = read_keys(Issuer("next").jwks)
    await authenticator.refresh()

    with pytest.raises(Problem) as refused:
        await authenticator.authenticate(token)
    assert refused.value.status == 401


class ChangingKeys:
    """A source that can be away, and counts how often it is asked."""

    def __init__(self) -> None:
        self.keys: Keys | None = None
        self.asked = 0

    async def fetch(self) -> Keys:
        self.asked += 1
        keys = self.keys
        await asyncio.sleep(0)
        if keys is None:
            raise KeysUnavailableError("away")
        return keys


async def test_without_keys_ever_loaded_it_is_503_and_afterwards_never() -> None:
    source = ChangingKeys()
    authenticator = Authenticator(source, issuer=ISSUER)
    await authenticator.refresh()
    token = issuer.token("balances:read")

    with pytest.raises(Problem) as unavailable:
        await authenticator.authenticate(token)
    assert (unavailable.value.status, authenticator.is_ready) == (503, False)

    source.keys = read_keys(issuer.jwks)
    await authenticator.refresh()
    for nothing in (None, read_keys([])):
        source.keys = nothing
        assert await authenticator.refresh() is False  # and the old keys stay

    assert authenticator.is_ready
    assert (await authenticator.authenticate(token)).client_id == "client-1"


async def test_a_new_key_is_found_at_once_and_strangers_ask_rarely() -> None:
    source = ChangingKeys()
    source.keys = read_keys(issuer.jwks)
    authenticator = Authenticator(source, issuer=ISSUER)
    await authenticator.refresh()
    successor = Issuer("successor")
    source.keys = read_keys([*issuer.jwks, *successor.jwks])

    tokens = [successor.token("balances:read", sub=f"client-{number}") for number in range(20)]
    principals = await asyncio.gather(*(authenticator.authenticate(token) for token in tokens))

    assert [principal.client_id for principal in principals] == [f"client-{number}" for number in range(20)]
    assert source.asked == 2

    strangers = [Issuer(f"stranger-{number}").token("balances:read") for number in range(20)]
    results = await asyncio.gather(*(authenticator.authenticate(token) for token in strangers), return_exceptions=True)

    assert all(isinstance(result, Problem) and result.status == 401 for result in results)
    assert source.asked == 2  # asked within UNKNOWN_KEY_PAUSE_SECONDS before
    assert UNKNOWN_KEY_PAUSE_SECONDS >= 10


async def test_keys_are_fetched_in_the_background_until_they_are_there() -> None:
    source = ChangingKeys()
    authenticator = Authenticator(source, issuer=ISSUER)
    stop = asyncio.Event()
    running = asyncio.create_task(authenticator.run(stop))
    await until(lambda: source.asked == 1)
    source.keys = read_keys(issuer.jwks)
    await until(lambda: authenticator.is_ready)
    stop.set()
    await running

    assert source.asked == 2


async def test_stopping_waits_for_no_issuer_that_hangs() -> None:
    class Hanging:
        is_asked = asyncio.Event()

        async def fetch(self) -> Keys:
            self.is_asked.set()
            await asyncio.Event().wait()
            return {}

    authenticator, stop = Authenticator(Hanging(), issuer=ISSUER), asyncio.Event()
    running = asyncio.create_task(authenticator.run(stop))
    await Hanging.is_asked.wait()
    stop.set()
    await running  # or this test never ends


def test_only_public_ed25519_keys_with_a_name_are_read() -> None:
    published = [
        *issuer.jwks,
        {"kty": "RSA", "kid": "rsa", "n": "AQAB", "e": "AQAB"},
        {"kty": "OKP", "crv": "X25519", "kid": "x", "x": issuer.jwks[0]["x"]},
        {"kty": "OKP", "crv": "Ed25519", "kid": "short", "x": "AAAA"},
        {"kty": "OKP", "crv": "Ed25519", "x": issuer.jwks[0]["x"]},
    ]

    assert list(read_keys(published)) == ["test-key"]


async def test_a_found_till_is_asked_again_after_its_time_and_an_unknown_one_always() -> None:
    asked: list[str] = []
    is_revoked = False
    seconds = 0.0

    async def find(key_sha256: str) -> TillIdentity | None:
        asked.append(key_sha256)
        return None if is_revoked else TillIdentity("north", "S-1", "T-1")

    tills = KnownTills(find, lambda: seconds)
    assert await tills.find(till_key) is not None
    assert await tills.find(till_key) is not None
    assert len(asked) == 1

    is_revoked = True
    seconds = FOUND_TILL_SECONDS
    assert await tills.find(till_key) is None
    assert await tills.find(till_key) is None
    assert len(asked) == 3


def test_a_route_without_a_scope_is_found() -> None:
    protected = APIRouter(dependencies=[requires("cases:read")])

    @protected.get("/cases")
    async def cases() -> None: ...

    async def below(principal: Annotated[Principal, requires("cases:read")]) -> Principal:
        return principal

    @protected.get("/nested")
    async def nested(principal: Annotated[Principal, Depends(below)]) -> None: ...

    app = create_app(title="test", authenticator=None, routers=[router, protected])

    assert unprotected_routes(app) == ["GET /v1/forgotten"]


@pytest.mark.parametrize(
    ("own", "asked", "sees"),
    [(None, "north", True), ("north", "north", True), ("north", "south", False), ("north", None, False)],
)
def test_a_partners_client_sees_its_own_and_a_programmes_all(own: str | None, asked: str | None, sees: bool) -> None:
    assert Principal("c", own, frozenset()).sees(asked) is sees
