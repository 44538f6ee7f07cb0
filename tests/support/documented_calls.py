"""The calls of a page of documentation, made as a reader would make them."""

import asyncio
import json
import re
import shlex
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2

_BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_VARIABLE = re.compile(r"\$([A-Z][A-Z_]*)")
HEARD_OF_SECONDS_MAX = 30.0
"""How long a service may take to hear of what another one was told, in a test."""
AGAIN_AFTER_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Call:
    """One ``curl`` as the page has it."""

    method: str
    url: str
    headers: dict[str, str]
    body: str | None
    user: tuple[str, str] | None


class Reader:
    """Makes a page's calls in their order. Fields of answers become variables, as the page tells its readers."""

    def __init__(self, variables: dict[str, str]) -> None:
        self.variables = dict(variables)

    async def follow(
        self, page: str, is_good: Callable[[httpx2.Response], bool] = lambda response: response.is_success
    ) -> list[tuple[Call, httpx2.Response]]:
        """Every call with its answer.

        A service may not have heard yet of what another one was told just before: a call whose answer is not good is
        made again, as the page tells its readers, and the last answer counts.
        """
        answers = []
        async with httpx2.AsyncClient(timeout=30, trust_env=False) as client:
            for text in _BLOCK.findall(page):
                call = self._read(text)
                response = await self._make(client, call, is_good)
                assert is_good(response), (
                    f"{call.method} {call.url} was answered {response.status_code} {response.text}"
                )
                answers.append((call, response))
                self.variables |= dict(_named(response.json()))
        return answers

    @staticmethod
    async def _make(
        client: httpx2.AsyncClient, call: Call, is_good: Callable[[httpx2.Response], bool]
    ) -> httpx2.Response:
        give_up_at = time.monotonic() + HEARD_OF_SECONDS_MAX
        while True:
            response = await client.request(
                call.method, call.url, headers=call.headers, content=call.body, auth=call.user
            )
            if is_good(response) or time.monotonic() > give_up_at:
                return response
            await asyncio.sleep(AGAIN_AFTER_SECONDS)

    def _read(self, text: str) -> Call:
        program, *words = shlex.split(_VARIABLE.sub(self._value, text.replace("\\\n", " ")))
        assert program == "curl"
        method, url, body, user, headers = "GET", "", None, None, {"content-type": "application/json"}
        while words:
            match words.pop(0):
                case "-X":
                    method = words.pop(0)
                case "-H":
                    name, _, value = words.pop(0).partition(": ")
                    headers[name.lower()] = value
                case "-d":
                    body = words.pop(0)
                case "-u":
                    name, _, secret = words.pop(0).partition(":")
                    user = name, secret
                    headers["content-type"] = "application/x-www-form-urlencoded"
                case word:
                    assert not word.startswith("-"), f"the page uses {word}, which its test does not know"
                    url = word
        if body is not None and user is None:
            json.loads(body)  # what the page shows is JSON once its variables are filled in
        return Call(method, url, headers, body, user)

    def _value(self, found: re.Match[str]) -> str:
        assert found[1] in self.variables, f"the page uses ${found[1]} before any answer has given it"
        return self.variables[found[1]]


def _named(answer: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in answer.items():
        if isinstance(value, str | int) and not isinstance(value, bool):
            yield name.upper(), str(value)
