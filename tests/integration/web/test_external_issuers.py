"""Staff with tokens of an OIDC issuer: found over HTTP, checked against its own keys, refused for every reason."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any, NamedTuple

import httpx2
import pytest
from fastapi import APIRouter
from joserfc.jwk import ECKey, OctKey

from shared.web import Authenticator, ExternalIssuer, Principal, StaticKeySource, create_app, key_sources, requires
from shared.web.rate_limit import Policy, RateLimiter
from tests.support.oidc_issuer import OidcIssuer, key_of, published, running_issuer, signed
from tests.support.tokens import ISSUER, Issuer
from tests.support.until import until

OWN = Issuer()
NOBODY = "http://127.0.0.1:1"
router = APIRouter()


@router.get("/who")
async def who(principal: Annotated[Principal, requires("contracts:read")]) -> dict[str, Any]:
    """Who asked."""
    return {"client_id": principal.client_id, "partner_id": principal.partner_id, "roles": sorted(principal.roles)}


class Door:
    """A service that takes the tokens of our own issuer and of these."""

    def __init__(self, *external: ExternalIssuer, limiter: RateLimiter | None = None) -> None:
        self.authenticator = Authenticator(StaticKeySource(OWN.jwks), issuer=ISSUER, external=external, limiter=limiter)
        app = create_app(title="test", authenticator=self.authenticator, routers=[router])
        self._client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test")

    async def ask(self, token: str) -> httpx2.Response:
        """Go in with this token."""
        return await self._client.get("/who", headers={"Authorization": f"Bearer {token}"})

    async def refusal(self, token: str) -> str:
        """Why the token is not taken."""
        answer = await self.ask(token)
        assert answer.status_code == 401, answer.text
        assert answer.headers["www-authenticate"] == 'Bearer realm="tessera", error="invalid_token"'
        return str(answer.json()["detail"])


@asynccontextmanager
async def opened(*external: ExternalIssuer, limiter: RateLimiter | None = None) -> AsyncIterator[Door]:
    """A door whose keys were fetched once, where they could be."""
    door = Door(*external, limiter=limiter)
    await door.authenticator.refresh()
    yield door


@pytest.fixture(scope="module")
async def running() -> AsyncIterator[OidcIssuer]:
    """One server for all tests: to stop one takes its time."""
    async with running_issuer() as started:
        yield started


@pytest.fixture
def issuer(running: OidcIssuer) -> OidcIssuer:
    """One that answers."""
    running.begin_again()
    return running


@pytest.fixture
async def door(issuer: OidcIssuer) -> AsyncIterator[Door]:
    """A service that was told of it."""
    async with opened(issuer.told()) as door:
        yield door


async def test_staff_get_in_under_their_issuers_prefix_beside_our_own_people(door: Door, issuer: OidcIssuer) -> None:
    for token in (issuer.token(), issuer.token(alg="ES256", kid="ec"), issuer.token(aud=["else", "tessera-staff"])):
        for _ in range(2):  # the second time from memory
            answer = await door.ask(token)
            assert (answer.status_code, answer.json()) == (
                200,
                {"client_id": "person:corp:p7", "partner_id": None, "roles": ["programme_manager"]},
            )
    ours = await door.ask(OWN.token("contracts:read", sub="person:p7"))
    assert ours.json()["client_id"] == "person:p7"


@pytest.mark.parametrize("alg", ["PS256", "Ed25519", "EdDSA"])
async def test_other_algorithms_are_good_where_they_are_pinned(issuer: OidcIssuer, alg: str) -> None:
    key = key_of("PS256" if alg == "PS256" else "Ed25519")
    issuer.jwks = [published(key, "k")]
    async with opened(issuer.told(algorithms=[alg])) as door:
        assert (await door.ask(issuer.token(alg=alg, kid="k", key=key))).status_code == 200


async def test_names_that_the_settings_do_not_know_give_nothing(door: Door, issuer: OidcIssuer) -> None:
    for groups in (None, [], ["programme_manager", "admins", 7], "strangers"):
        answer = await door.ask(issuer.token(groups=groups))
        assert (answer.status_code, answer.json()["scope"]) == (403, "contracts:read"), groups


async def test_a_partners_user_is_bound_to_the_partner(door: Door, issuer: OidcIssuer) -> None:
    answer = await door.ask(issuer.token(groups=["loyalty-partners"], partner="acme"))
    assert (answer.status_code, answer.json()["partner_id"]) == (200, "acme")


class At(NamedTuple):
    """So many seconds from when the test runs, which may be long after it was collected."""

    seconds: int


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"aud": "another"}, "must be tessera-staff"),
        ({"aud": None}, "must be tessera-staff"),
        ({"aud": "tessera"}, "must be tessera-staff"),  # ours, and not what this issuer was told
        ({"exp": At(-60), "iat": At(-600)}, "has expired: ask its issuer (corp)"),
        ({"exp": None}, "lacks iat or exp"),
        ({"iat": None}, "lacks iat or exp"),
        ({"exp": "soon"}, "exp is no number"),
        ({"exp": True}, "exp is no number"),
        ({"exp": 10**400}, "exp is no number"),
        ({"nbf": At(300)}, "not valid yet"),
        ({"nbf": "later"}, "nbf is no number"),
        ({"iat": At(300), "exp": At(600)}, "not valid yet"),
        (
            {"iat": At(0), "exp": At(3_600)},
            "lives 60 minutes, and here at most 15: set the lifetime of access tokens at its issuer",
        ),
        ({"iat": At(-3_000), "exp": At(600)}, "lives 60 minutes"),  # in its last minutes, too
        ({"sub": None}, "sub cannot be taken"),
        ({"sub": "anna@corp.example"}, "give an id, no address"),
        ({"sub": "north/S-1/T-1"}, "sub cannot be taken"),
        ({"sub": "x" * 129}, "sub cannot be taken"),
        ({"groups": {"a": 1}}, "groups is no list"),
        ({"groups": ["loyalty-partners"]}, "Roles and partner do not go together"),
        ({"groups": ["loyalty-partners", "loyalty-support"], "partner": "acme"}, "do not go together"),
        ({"groups": ["loyalty-managers"], "partner": "acme"}, "do not go together"),
        ({"groups": ["loyalty-partners"], "partner": ""}, "no partner's id"),
        ({"groups": ["loyalty-partners"], "partner": ["acme"]}, "no partner's id"),
        ({"groups": ["loyalty-partners"], "partner": "acme/s1"}, "no partner's id"),
    ],
)
async def test_a_signed_token_with_wrong_claims_is_refused(
    door: Door, issuer: OidcIssuer, claims: dict[str, Any], reason: str
) -> None:
    now = int(time.time())
    told: dict[str, Any] = {
        name: now + claim.seconds if isinstance(claim, At) else claim for name, claim in claims.items()
    }
    assert reason in await door.refusal(issuer.token(**told))


def unsigned(issuer: OidcIssuer) -> str:
    head, body = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in ({"alg": "none", "kid": "rsa"}, issuer.claims())
    )
    return f"{head}.{body}."


def changed(issuer: OidcIssuer) -> str:
    head, _, signature = issuer.token().split(".")
    body = json.dumps(issuer.claims(sub="p8")).encode()
    return f"{head}.{base64.urlsafe_b64encode(body).rstrip(b'=').decode()}.{signature}"


def with_header(**header: Any) -> Callable[[OidcIssuer], str]:
    return lambda issuer: signed(issuer.claims(), key_of("RS256"), {"alg": "RS256", "kid": "rsa"} | header)


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        pytest.param(unsigned, "signed with ES256 or RS256", id="unsigned"),
        pytest.param(OidcIssuer.forged_with_secret, "signed with ES256 or RS256", id="HMAC with the public key"),
        pytest.param(lambda it: it.token(alg="PS256", key=key_of("RS256")), "signed with", id="not pinned"),
        pytest.param(lambda it: it.token(alg="ES256", kid="rsa"), "not one for its algorithm", id="of another kind"),
        pytest.param(lambda it: it.token(kid="ec"), "not one for its algorithm", id="RS256 with an EC key's kid"),
        pytest.param(lambda it: it.token(kid=None), "it needs a kid", id="without a kid"),
        pytest.param(lambda it: it.token(kid=""), "it needs a kid", id="with an empty kid"),
        pytest.param(lambda it: it.token(kid="other"), "does not publish", id="unknown kid"),
        pytest.param(lambda it: it.token(key=key_of("RS256", "second")), "signature is not good", id="another key"),
        pytest.param(changed, "signature is not good", id="changed"),
        pytest.param(with_header(typ="logout+jwt"), "another kind of token", id="a logout token"),
        pytest.param(with_header(crit=["exp"], exp=1), "signature is not good", id="an unknown crit"),
        pytest.param(with_header(crit=5), "signature is not good", id="a crit that is no list"),
        pytest.param(with_header(crit=[["exp"]]), "signature is not good", id="a crit of lists"),
    ],
)
async def test_a_token_that_its_issuer_did_not_sign_so_is_refused(
    door: Door, issuer: OidcIssuer, token: Callable[[OidcIssuer], str], reason: str
) -> None:
    assert reason in await door.refusal(token(issuer))


async def test_a_header_that_matters_to_nobody_here_is_passed_over(door: Door, issuer: OidcIssuer) -> None:
    assert (await door.ask(with_header(typ="at+jwt", vendor="x")(issuer))).status_code == 200


async def test_nobody_signs_for_another_issuer(issuer: OidcIssuer) -> None:
    async with running_issuer() as other:
        other.jwks = [published(key_of("RS256", "second"), "rsa")]  # the same kid, to make it hard
        async with opened(issuer.told(), other.told(prefix="other")) as door:
            with_its_own = await door.ask(other.token(key=key_of("RS256", "second")))
            assert with_its_own.json()["client_id"] == "person:other:p7"
            for token in (
                other.token(),  # the first one's key under the second's name
                issuer.token(key=key_of("RS256", "second")),
                issuer.token(iss=ISSUER, aud="tessera", scope="contracts:read"),  # and under ours
                OWN.token("contracts:read", iss=issuer.url, aud="tessera-staff"),
            ):
                await door.refusal(token)
            stranger = issuer.token(iss="https://evil.invalid")
            await door.refusal(stranger)


async def test_symmetric_keys_in_the_document_are_no_keys(issuer: OidcIssuer) -> None:
    secret = OctKey.generate_key(256)
    issuer.jwks.append({**secret.as_dict(private=True), "kid": "shared", "alg": "RS256"})
    async with opened(issuer.told()) as door:
        assert "does not publish" in await door.refusal(issuer.token(kid="shared"))
        forged = signed(issuer.claims(), secret, {"alg": "HS256", "kid": "shared"})
        assert "signed with" in await door.refusal(forged)


async def test_a_new_key_is_found_at_once_and_strangers_ask_rarely(door: Door, issuer: OidcIssuer) -> None:
    successor = ECKey.generate_key("P-256")
    issuer.jwks = [published(successor, "next")]
    asked = issuer.asked

    tokens = [issuer.token(alg="ES256", kid="next", key=successor, sub=f"p{number}") for number in range(8)]
    answers = await asyncio.gather(*(door.ask(token) for token in tokens))

    assert [answer.status_code for answer in answers] == [200] * 8
    for number in range(8):
        assert "does not publish" in await door.refusal(issuer.token(kid=f"made-up-{number}"))
    assert issuer.asked == asked + 1


async def test_a_withdrawn_key_vouches_for_nobody(door: Door, issuer: OidcIssuer) -> None:
    token = issuer.token()
    assert (await door.ask(token)).status_code == 200
    issuer.jwks = [published(key_of("ES256"), "ec")]
    await door.authenticator.refresh()
    assert "does not publish" in await door.refusal(token)


@pytest.mark.parametrize(
    "break_it",
    [
        pytest.param(lambda it: setattr(it, "is_down", True), id="down"),
        pytest.param(lambda it: it.document.update(issuer="https://evil.invalid"), id="another issuer's document"),
        pytest.param(lambda it: it.document.update(issuer=it.url + "/"), id="an issuer that is nearly the same"),
        pytest.param(lambda it: it.document.update(jwks_uri="http://corp.example/keys"), id="keys over plain http"),
        pytest.param(lambda it: it.document.update(jwks_uri="file:///etc/keys"), id="keys in a file"),
        pytest.param(lambda it: it.document.update(jwks_uri=None), id="no address of keys"),
        pytest.param(lambda it: it.document.update(jwks_uri=it.url + "/nowhere"), id="keys that are not there"),
        pytest.param(lambda it: it.document.update(jwks_uri=it.url + "/moved"), id="keys that have moved"),
        pytest.param(lambda it: it.document.update(padding="x" * 300_000), id="a document without end"),
        pytest.param(lambda it: it.jwks.clear(), id="no keys"),
        pytest.param(lambda it: setattr(it, "jwks", {"kid": "rsa"}), id="no list of keys"),
    ],
)
async def test_whatever_is_wrong_with_the_issuer_its_old_keys_stay(
    door: Door, issuer: OidcIssuer, break_it: Callable[[OidcIssuer], Any]
) -> None:
    break_it(issuer)
    assert await door.authenticator.refresh()  # our own keys
    assert (await door.ask(issuer.token())).status_code == 200
    async with opened(issuer.told()) as new:  # started when it was so: it has no keys of it, and everything else
        assert (await new.ask(issuer.token())).status_code == 503
        assert (await new.ask(OWN.token("contracts:read"))).status_code == 200


async def test_an_issuer_that_hangs_is_given_up(
    door: Door, issuer: OidcIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_sources, "DISCOVERY_DEADLINE_SECONDS", 0.05)
    issuer.document.update(jwks_uri=issuer.url + "/hanging")
    assert "does not publish" in await door.refusal(issuer.token(kid="next"))
    assert (await door.ask(issuer.token())).status_code == 200
    issuer.may_answer.set()


async def test_an_issuer_that_is_down_at_the_start_stops_nobody(issuer: OidcIssuer) -> None:
    nowhere = issuer.told(issuer=NOBODY, prefix="gone")
    door, stop = Door(nowhere, issuer.told()), asyncio.Event()
    running = asyncio.create_task(door.authenticator.run(stop))
    await until(lambda: door.authenticator.is_ready)
    assert (await door.ask(OWN.token("contracts:read"))).status_code == 200

    async def is_in() -> bool:
        return (await door.ask(issuer.token())).status_code == 200

    await until(is_in)
    away = await door.ask(issuer.token(iss=NOBODY))
    assert (away.status_code, away.json()["type"].rpartition("/")[2]) == (503, "keys-unavailable")
    stop.set()
    await running


async def test_an_external_person_has_a_limit_of_his_own(issuer: OidcIssuer) -> None:
    async with opened(issuer.told(), limiter=RateLimiter(Policy(1, 3_600))) as door:
        for sub in ("p7", "p8"):
            assert (await door.ask(issuer.token(sub=sub))).status_code == 200
            assert (await door.ask(issuer.token(sub=sub))).status_code == 429
        assert (await door.ask(OWN.token("contracts:read", sub="person:p7"))).status_code == 200
