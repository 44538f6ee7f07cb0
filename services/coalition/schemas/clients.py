"""What HTTP says of API clients, tokens and keys."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, StrictInt

from services.coalition.domain.registry import ApiClient, RateLimit
from services.coalition.domain.scopes import SCOPES, Scope
from services.coalition.schemas.fields import AnswerModel
from shared.web import Body, CodeText, Text

OVERLAP_SECONDS_DEFAULT = 86_400
OVERLAP_SECONDS_MAX = 30 * 86_400
RATE_LIMIT_REQUESTS_MAX = 1_000_000
RATE_LIMIT_WINDOW_SECONDS_MAX = 3_600


class RateLimitBody(Body):
    """How many requests the client may make in a window, of each process of a service."""

    requests: Annotated[StrictInt, Field(ge=1, le=RATE_LIMIT_REQUESTS_MAX)]
    window_seconds: Annotated[StrictInt, Field(ge=1, le=RATE_LIMIT_WINDOW_SECONDS_MAX)]

    def as_limit(self) -> RateLimit:
        """The limit as the domain has it."""
        return RateLimit(self.requests, self.window_seconds)


class ClientBody(Body):
    """A machine that will call the API; without ``partner_id`` it is the programme's own and sees every partner."""

    client_id: CodeText
    scopes: list[Scope] = Field(min_length=1, max_length=len(SCOPES))
    partner_id: CodeText | None = None
    rate_limit: RateLimitBody | None = Field(default=None, description="Its own; absent: what the services are set to.")


class ClientAnswer(AnswerModel):
    """A new client, with its secret: shown in this answer and its replays, and nowhere else."""

    client_id: str
    partner_id: str | None
    scopes: list[str]
    version: int
    client_secret: str = Field(repr=False, examples=["cs_…"])


class RotationBody(Body):
    """Another secret. For how long the present one stays good beside it; 0 ends it at once."""

    overlap_seconds: Annotated[StrictInt, Field(ge=0, le=OVERLAP_SECONDS_MAX)] = OVERLAP_SECONDS_DEFAULT
    why: Text | None = None


class ScopesBody(Body):
    """All that the client may do from now on."""

    scopes: list[Scope] = Field(min_length=1, max_length=len(SCOPES))
    why: Text | None = None


class RateLimitReplaceBody(Body):
    """The client's own limit from now on; null: what the services are set to."""

    rate_limit: RateLimitBody | None
    why: Text | None = None


class RevocationBody(Body):
    """Why the client may do nothing any more."""

    why: Text


class RateLimitAnswer(AnswerModel):
    """A limit that a client has of its own."""

    requests: int
    window_seconds: int


class ClientView(AnswerModel):
    """A client without its secret."""

    client_id: str
    partner_id: str | None
    scopes: list[str]
    is_revoked: bool
    previous_valid_until: datetime | None = Field(description="Until when the secret that was replaced stays good.")
    rate_limit: RateLimitAnswer | None = Field(description="Its own; null: what the services are set to.")
    version: int

    @classmethod
    def of(cls, client: ApiClient) -> Self:
        """The answer for a client."""
        return cls(
            client_id=client.client_id,
            partner_id=client.partner_id,
            scopes=list(client.scopes),
            is_revoked=client.is_revoked,
            previous_valid_until=client.previous_valid_until,
            rate_limit=None
            if client.rate_limit is None
            else RateLimitAnswer(requests=client.rate_limit.requests, window_seconds=client.rate_limit.window_seconds),
            version=client.version,
        )


class RotationAnswer(AnswerModel):
    """The new secret: shown in this answer and its replays, and nowhere else."""

    client_id: str
    previous_valid_until: datetime | None = Field(description="Until when the secret that was replaced stays good.")
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
