"""What HTTP says of API clients, tokens and keys."""

from typing import Literal

from pydantic import Field

from services.coalition.domain.scopes import SCOPES, Scope
from services.coalition.schemas.fields import AnswerModel
from shared.web import Body, CodeText


class ClientBody(Body):
    """A machine that will call the API; without ``partner_id`` it is the programme's own and sees every partner."""

    client_id: CodeText
    scopes: list[Scope] = Field(min_length=1, max_length=len(SCOPES))
    partner_id: CodeText | None = None


class ClientAnswer(AnswerModel):
    """A new client, with its secret: shown in this answer and its replays, and nowhere else."""

    client_id: str
    partner_id: str | None
    scopes: list[str]
    version: int
    client_secret: str = Field(repr=False, examples=["cs_…"])


class TokenAnswer(AnswerModel):
    """RFC 6749 §5.1."""

    access_token: str = Field(repr=False)
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 -- the type's name
    expires_in: int = Field(description="Seconds.")
    scope: str = Field(description="What the token allows, separated by spaces.")


class TokenRefusal(AnswerModel):
    """RFC 6749 §5.2."""

    error: str
    error_description: str


class JsonWebKey(AnswerModel):
    """RFC 8037: an Ed25519 public key."""

    kty: str
    crv: str
    x: str
    kid: str
    use: str
    alg: str


class JsonWebKeySet(AnswerModel):
    """RFC 7517."""

    keys: list[JsonWebKey]
