"""Tokens by client credentials (RFC 6749 §4.4), and the key that they are checked with (RFC 7517).

Refusals of the token endpoint are RFC 6749's own JSON, which every OAuth library reads, and not problems.
"""

import base64
import binascii
import re
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from starlette.datastructures import Headers

from services.coalition.credentials.tokens import TokenSigner
from services.coalition.schemas.clients import JsonWebKey, JsonWebKeySet, TokenAnswer, TokenRefusal
from services.coalition.use_cases.issue_token import (
    ScopeNotGrantedError,
    TokenDesk,
    TokenRequest,
    UnknownClientError,
)
from shared.secret_hasher import HasherBusyError
from shared.web.strict import CODE_LENGTH_MAX, CODE_PATTERN

FORM_MEDIA_TYPE = "application/x-www-form-urlencoded"
FORM_FIELDS_MAX = 20
FORM_BYTES_MAX = 8_192
SECRET_LENGTH_MAX = 512
KEYS_KEPT_SECONDS = 300
RETRY_AFTER_SECONDS = 1

_CLIENT_ID = re.compile(rf"(?=.{{1,{CODE_LENGTH_MAX}}}$){CODE_PATTERN}")

_REFUSED: dict[int | str, dict[str, Any]] = {
    400: {
        "model": TokenRefusal,
        "description": "RFC 6749 §5.2: invalid_request, unsupported_grant_type, invalid_scope.",
    },
    401: {"model": TokenRefusal, "description": "RFC 6749 §5.2: invalid_client."},
    503: {"model": TokenRefusal, "description": "Too many ask at once: try again after Retry-After."},
}

_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            FORM_MEDIA_TYPE: {
                "schema": {
                    "type": "object",
                    "required": ["grant_type"],
                    "properties": {
                        "grant_type": {"const": "client_credentials"},
                        "client_id": {"type": "string"},
                        "client_secret": {"type": "string"},
                        "scope": {"type": "string", "description": "Fewer scopes than the client has, with spaces."},
                    },
                }
            }
        },
    }
}


class _RefusedError(Exception):
    """A refusal of the token endpoint. ``code`` is RFC 6749's word."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail


def oauth_router(desk: TokenDesk, signer: TokenSigner) -> APIRouter:
    """The two routes that need no token."""
    router = APIRouter(tags=["oauth"])
    keys = JsonWebKeySet(keys=[JsonWebKey.model_validate(key) for key in signer.public_jwks()])

    @router.post("/oauth/token", response_model=TokenAnswer, responses=_REFUSED, openapi_extra=_FORM)
    async def token(request: Request) -> Response:
        """A token, good for 15 minutes. Client id and secret come by HTTP Basic or in the form; no Idempotency-Key."""
        try:
            issued = await desk.issue(_read(request.headers, await request.body()))
        except _RefusedError as refused:
            return _refusal(refused.status, refused.code, refused.detail)
        except UnknownClientError:
            return _refusal(401, "invalid_client", "there is no such client, or its secret is another")
        except ScopeNotGrantedError:
            return _refusal(400, "invalid_scope", "the client may not have a scope that was asked for")
        except HasherBusyError:
            return _refusal(503, "temporarily_unavailable", "too many ask for tokens at once: try again")
        answer = TokenAnswer(
            access_token=issued.token, expires_in=issued.expires_in_seconds, scope=" ".join(issued.scopes)
        )
        return _json(answer, 200)

    @router.get("/.well-known/jwks.json", response_model=JsonWebKeySet)
    async def jwks() -> Response:
        """The public keys that tokens are checked with."""
        return Response(
            keys.model_dump_json(),
            media_type="application/json",
            headers={"Cache-Control": f"public, max-age={KEYS_KEPT_SECONDS}"},
        )

    return router


def _read(headers: Headers, body: bytes) -> TokenRequest:
    form = _read_form(headers, body)
    grant_type = form.get("grant_type")
    if grant_type is None:
        raise _RefusedError(400, "invalid_request", "grant_type is missing: send grant_type=client_credentials")
    client_id, secret = _read_credentials(headers.get("authorization"), form)
    if grant_type != "client_credentials":
        raise _RefusedError(400, "unsupported_grant_type", "only client_credentials is known here")
    return TokenRequest(client_id, secret, form.get("scope"))


def _read_form(headers: Headers, body: bytes) -> dict[str, str]:
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != FORM_MEDIA_TYPE or len(body) > FORM_BYTES_MAX:
        raise _RefusedError(400, "invalid_request", f"send a form of at most {FORM_BYTES_MAX} bytes: {FORM_MEDIA_TYPE}")
    try:
        # What has no value counts as absent (RFC 6749 §3.2).
        pairs = parse_qsl(body.decode(), errors="strict", max_num_fields=FORM_FIELDS_MAX)
    except ValueError:
        raise _RefusedError(400, "invalid_request", "the form cannot be read") from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise _RefusedError(400, "invalid_request", "a parameter may be sent once")
    return form


def _read_credentials(authorization: str | None, form: dict[str, str]) -> tuple[str, str]:
    if authorization is None:
        client_id, secret = form.get("client_id"), form.get("client_secret")
    elif "client_secret" in form:
        raise _RefusedError(400, "invalid_request", "send the secret by HTTP Basic or in the form, not by both")
    else:
        client_id, secret = _read_basic(authorization)
        if form.get("client_id", client_id) != client_id:
            raise _RefusedError(400, "invalid_request", "the form names another client than HTTP Basic")
    if client_id is None or secret is None:
        raise _RefusedError(401, "invalid_client", "send the client's id and secret, by HTTP Basic or in the form")
    if not _CLIENT_ID.fullmatch(client_id) or len(secret) > SECRET_LENGTH_MAX:
        raise _RefusedError(401, "invalid_client", "there is no such client, or its secret is another")
    return client_id, secret


def _read_basic(authorization: str) -> tuple[str | None, str | None]:
    """Id and secret, each form-encoded before they are joined (RFC 6749 §2.3.1)."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        joined = base64.b64decode(encoded.strip(), validate=True).decode()
        client_id, colon, secret = joined.partition(":")
        if scheme.lower() != "basic" or not colon:
            return None, None
        return unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict")
    except (binascii.Error, ValueError):
        return None, None


def _refusal(status: int, code: str, detail: str) -> Response:
    response = _json(TokenRefusal(error=code, error_description=detail), status)
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="tessera"'
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _json(answer: BaseModel, status: int) -> Response:
    headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
    return Response(answer.model_dump_json(), status, headers=headers, media_type="application/json")
