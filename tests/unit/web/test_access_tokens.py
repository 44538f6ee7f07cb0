"""A token for other services: had once for all who ask, and renewed before anybody has to wait for it."""

import asyncio

import httpx2
import pytest

from shared.web.access_tokens import EXPIRY_MARGIN_SECONDS, AccessToken, TokenUnavailableError, authorised_post

LIFE_SECONDS = 900


class Desk:
    """A token desk that the test can close for a while, and a clock."""

    def __init__(self) -> None:
        self.given, self.seconds = 0, 0.0
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.refused: set[str] = set()
        self.status = 200

    async def answer(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/oauth/token":
            await self.is_open.wait()
            self.given += 1
            return httpx2.Response(self.status, json={"access_token": f"t{self.given}", "expires_in": LIFE_SECONDS})
        bearer = request.headers["authorization"].removeprefix("Bearer ")
        return httpx2.Response(401 if bearer in self.refused else 200, json={"bearer": bearer})


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def client(desk: Desk) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.MockTransport(desk.answer), base_url="http://test")


@pytest.fixture
def token(desk: Desk, client: httpx2.AsyncClient) -> AccessToken:
    return AccessToken(client, "http://test/oauth/token", "redemption", "secret", lambda: desk.seconds)


async def test_it_is_renewed_ahead_of_its_end_and_nobody_waits(desk: Desk, token: AccessToken) -> None:
    await token.renew(60.0)
    await token.renew(60.0)
    assert (await token.get(), desk.given) == ("t1", 1)
    desk.seconds = LIFE_SECONDS - EXPIRY_MARGIN_SECONDS - 60.0
    desk.is_open.clear()
    renewing = asyncio.create_task(token.renew(60.0))
    await asyncio.sleep(0)
    assert await token.get() == "t1"
    desk.is_open.set()
    await renewing
    assert (await token.get(), desk.given) == ("t2", 2)


async def test_while_it_cannot_be_renewed_the_one_that_is_there_counts(desk: Desk, token: AccessToken) -> None:
    assert await token.get() == "t1"
    desk.seconds, desk.status = LIFE_SECONDS - EXPIRY_MARGIN_SECONDS - 1.0, 503
    with pytest.raises(TokenUnavailableError):
        await token.renew(60.0)
    assert await token.get() == "t1"


async def test_a_question_goes_again_with_another_token_where_the_first_was_refused(
    desk: Desk, client: httpx2.AsyncClient, token: AccessToken
) -> None:
    desk.refused = {"t1"}
    answer = await authorised_post(client, token, "http://test/v1/baskets:preview", b"{}")
    assert answer.json() == {"bearer": "t2"}
