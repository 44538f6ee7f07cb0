"""The calls of a page of documentation, made as a reader would make them."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2

_BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_VARIABLE = re.compile(r"\$([A-Z][A-Z_]*)")


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

    async def follow(self, page: str) -> list[tuple[Call, httpx2.Response]]:
        """Every call with its answer."""
        answers = []
        async with httpx2.AsyncClient(timeout=30, trust_env=False) as client:
            for text in _BLOCK.findall(page):
                call = self._read(text)
                response = await client.request(
                    call.method, call.url, headers=call.headers, content=call.body, auth=call.user
                )
                answers.append((call, response))
                self.variables |= dict(_named(response.json()))
        return answers

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
