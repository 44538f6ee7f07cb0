"""A service calls another one: an access token by client credentials, kept until shortly before it expires."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

import httpx2
from pydantic import BaseModel, ConfigDict, Field, ValidationError

TOKEN_DEADLINE_SECONDS = 5.0
EXPIRY_MARGIN_SECONDS = 60.0


class TokenUnavailableError(Exception):
    """No token could be had now. The message names no secret."""


class _TokenAnswer(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    access_token: str = Field(min_length=1)
    expires_in: float = Field(gt=0)


class AccessToken:
    """One token for all of a process: asked for once at a time, however many wait for it."""

    def __init__(
        self,
        client: httpx2.AsyncClient,
        token_url: str,
        client_id: str,
        client_secret: str,
        monotonic_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._token_url = token_url
        self._credentials = httpx2.BasicAuth(client_id, client_secret)
        self._monotonic_seconds = monotonic_seconds
        self._token: str | None = None
        self._good_until_seconds = 0.0
        self._asking = asyncio.Lock()

    async def get(self) -> str:
        """A token that is good for some time yet.

        Raises:
            TokenUnavailableError: the token service is away, or refused our credentials.
        """
        async with self._asking:
            if self._token is None or self._monotonic_seconds() >= self._good_until_seconds:
                return await self._another()
            return self._token

    async def renew(self, ahead_seconds: float) -> None:
        """Have another one where there is none, or where it is used for no longer than ``ahead_seconds``. Whoever wants
        a token meanwhile gets the one that there is, and does not wait.

        Raises:
            TokenUnavailableError: as above.
        """
        if self._token is None:
            await self.get()
        elif self._monotonic_seconds() >= self._good_until_seconds - ahead_seconds:
            await self._another()

    def forget(self, token: str) -> None:
        """Ask for a new one next time: this one was refused. Another that came in since is kept."""
        if self._token == token:
            self._token = None

    async def _another(self) -> str:
        asked_at_seconds = self._monotonic_seconds()
        answer = await self._ask()
        # A token that lives shorter than the margin is used for half of its life.
        margin_seconds = min(EXPIRY_MARGIN_SECONDS, answer.expires_in / 2)
        self._token = answer.access_token
        self._good_until_seconds = asked_at_seconds + answer.expires_in - margin_seconds
        return answer.access_token

    async def _ask(self) -> _TokenAnswer:
        try:
            async with asyncio.timeout(TOKEN_DEADLINE_SECONDS):
                answer = await self._client.post(
                    self._token_url, data={"grant_type": "client_credentials"}, auth=self._credentials
                )
        except (httpx2.HTTPError, TimeoutError) as error:
            raise TokenUnavailableError(f"the token service did not answer ({type(error).__name__})") from None
        if answer.status_code != httpx2.codes.OK:
            raise TokenUnavailableError(f"the token service answered {answer.status_code}")
        try:
            return _TokenAnswer.model_validate_json(answer.content)
        except ValidationError:
            raise TokenUnavailableError("the token service's answer is no token") from None


async def authorised_get(
    client: httpx2.AsyncClient, token: AccessToken, url: str, params: Mapping[str, str] | None = None
) -> httpx2.Response:
    """What the URL answers to our token, whatever its status. The caller sets the deadline.

    Raises:
        TokenUnavailableError: no token could be had.
        httpx2.HTTPError: nobody answered.
    """
    return await _authorised(token, lambda bearer: client.get(url, params=params, headers=bearer))


async def authorised_post(client: httpx2.AsyncClient, token: AccessToken, url: str, body: bytes) -> httpx2.Response:
    """The same for a question that is a JSON body and changes nothing: it may be sent twice.

    Raises:
        TokenUnavailableError, httpx2.HTTPError: as above.
    """
    is_json = {"Content-Type": "application/json"}
    return await _authorised(token, lambda bearer: client.post(url, content=body, headers={**bearer, **is_json}))


async def _authorised(
    token: AccessToken, call: Callable[[Mapping[str, str]], Awaitable[httpx2.Response]]
) -> httpx2.Response:
    bearer = await token.get()
    answer = await call({"Authorization": f"Bearer {bearer}"})
    if answer.status_code == httpx2.codes.UNAUTHORIZED:  # keys rotate before tokens expire
        token.forget(bearer)
        answer = await call({"Authorization": f"Bearer {await token.get()}"})
    return answer
