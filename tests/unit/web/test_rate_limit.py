"""How much a caller may ask, and how he is told."""

from typing import Annotated

import httpx2
from fastapi import APIRouter
from hypothesis import given
from hypothesis import strategies as st

from shared.web import Authenticator, Principal, StaticKeySource, create_app, rate_limit, requires
from shared.web.rate_limit import Policy, RateLimiter, take_one
from tests.support.tokens import ISSUER, Issuer

POLICY = Policy(requests=10, window_seconds=5)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_a_bucket_empties_and_fills_at_its_rate() -> None:
    clock = Clock()
    limiter = RateLimiter(POLICY, clock)
    assert [limiter.take("pos").is_allowed for _ in range(11)] == [True] * 10 + [False]
    clock.seconds += 0.5
    assert [limiter.take("pos").is_allowed for _ in range(2)] == [True, False]
    clock.seconds += 3600
    assert limiter.take("pos").remaining == 9
    assert limiter.take("another").remaining == 9


@given(st.lists(st.floats(min_value=0, max_value=10), max_size=60))
def test_no_pattern_of_calls_gets_more_than_the_bucket_and_its_filling(pauses: list[float]) -> None:
    bucket, now, allowed = None, 0.0, 0
    for pause in pauses:
        now += pause
        bucket, allowance = take_one(POLICY, bucket, now)
        allowed += allowance.is_allowed
        assert 0 <= allowance.remaining <= POLICY.requests
    assert allowed <= POLICY.requests + now * POLICY.per_second + 1e-6


def test_a_client_with_a_limit_of_its_own_is_counted_by_it() -> None:
    limiter, own = RateLimiter(POLICY, Clock()), Policy(requests=2, window_seconds=60)
    assert [limiter.take("pos", own).is_allowed for _ in range(3)] == [True, True, False]
    refused = limiter.take("pos", own)
    assert limiter.headers(refused, own)["RateLimit-Policy"] == '"client";q=2;w=60'
    assert limiter.headers(refused, own)["Retry-After"] == "30"
    assert not limiter.take("pos").is_allowed  # taken from it again, it does not start anew
    assert limiter.take("another").remaining == 9


def test_a_clock_that_stands_still_or_goes_back_gives_nothing() -> None:
    bucket, _ = take_one(POLICY, None, 10.0)
    assert take_one(POLICY, bucket, 9.0)[1].remaining == 8


def test_the_number_of_buckets_is_bounded() -> None:
    limiter = RateLimiter(POLICY, Clock())
    for number in range(rate_limit.CALLERS_MAX + 5):
        limiter.take(f"client-{number}")
    assert len(limiter._buckets) == rate_limit.CALLERS_MAX


async def test_answers_tell_the_limit_and_too_much_is_refused_with_a_time() -> None:
    issuer, clock = Issuer(), Clock()
    router = APIRouter()

    @router.get("/v1/rules")
    async def rules(principal: Annotated[Principal, requires("rules:read")]) -> str:
        return principal.client_id

    authenticator = Authenticator(
        StaticKeySource(issuer.jwks), issuer=ISSUER, limiter=RateLimiter(Policy(2, 10), clock)
    )
    await authenticator.refresh()
    app = create_app(title="test", authenticator=authenticator, routers=[router])
    headers = {"Authorization": f"Bearer {issuer.token('rules:read')}"}
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        first, _, third = [await client.get("/v1/rules", headers=headers) for _ in range(3)]
        stranger = await client.get("/v1/rules")
        other = await client.get(
            "/v1/rules", headers={"Authorization": f"Bearer {issuer.token('rules:read', sub='client-2')}"}
        )
    assert (first.status_code, first.headers["RateLimit-Policy"]) == (200, '"client";q=2;w=10')
    assert first.headers["RateLimit"] == '"client";r=1;t=5'
    assert (third.status_code, third.headers["Retry-After"]) == (429, "5")
    assert third.headers["RateLimit"] == '"client";r=0;t=10'
    assert third.headers["Content-Type"] == "application/problem+json"
    assert (stranger.status_code, "RateLimit" in stranger.headers) == (401, False)
    assert other.status_code == 200
    assert "429" in app.openapi()["paths"]["/v1/rules"]["get"]["responses"]
