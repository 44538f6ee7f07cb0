"""``Idempotency-Key`` as a request bears it, and what else makes it the same request."""

import hashlib
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import orjson
from fastapi import Depends, Header, Request
from pydantic import BaseModel

from shared.web.problems import Problem
from shared.web.refusals import DomainProblems

KEY_LENGTH_MAX = 128


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """The request's key, and what else makes it the same request."""

    key: str
    method: str
    path: str
    domain_problems: DomainProblems

    def request_hash(self, payload: BaseModel | bytes | None) -> bytes:
        """SHA-256 of method, path with query, and the body in canonical form: spaces and order do not matter."""
        digest = hashlib.sha256(f"{self.method} {self.path}\n".encode())
        digest.update(_canonical(payload))
        return digest.digest()


def _canonical(payload: BaseModel | bytes | None) -> bytes:
    if payload is None or payload == b"":
        return b""
    if isinstance(payload, BaseModel):
        payload = payload.model_dump_json().encode()
    try:
        return orjson.dumps(orjson.loads(payload), option=orjson.OPT_SORT_KEYS)
    except orjson.JSONDecodeError:
        return payload


async def _read_key(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            description=f"1 to {KEY_LENGTH_MAX} visible characters, new for each effect; a retry sends it again.",
        ),
    ] = None,
) -> KeyedRequest:
    key = (idempotency_key or "").strip()
    if not key:
        raise Problem(
            400,
            "idempotency-key-missing",
            "This request has an effect: send an Idempotency-Key header (a new UUID), and the same one with a retry.",
        )
    if len(key) > KEY_LENGTH_MAX or not (key.isascii() and key.isprintable()):
        raise Problem(
            400, "idempotency-key-malformed", f"Idempotency-Key has 1 to {KEY_LENGTH_MAX} visible ASCII characters."
        )
    path, query = request.scope["path"], request.scope["query_string"].decode()
    asked = f"{path}?{query}" if query else path
    return KeyedRequest(key, request.method, asked, request.app.state.domain_problems)


IdempotencyKey: TypeAlias = Annotated[KeyedRequest, Depends(_read_key)]
"""A route's parameter: the mandatory ``Idempotency-Key`` with what belongs to it."""
