"""What coalition is told by its environment, beside what every service is."""

import json
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator

from services.coalition.credentials.tokens import InvalidSigningKeyError, TokenSigner
from services.coalition.domain.scopes import Scope
from services.coalition.use_cases.settle_clients import DeclaredClient
from shared.roles import is_person
from shared.runtime import ServiceSettings
from shared.web.keys import read_keys
from shared.web.strict import CODE_LENGTH_MAX, CODE_PATTERN

SECRET_LENGTH_MIN = 16
BOOTSTRAP_CLIENTS_MAX = 50
PUBLISHED_KEYS_MAX = 8


def _is_no_person(client_id: str) -> str:
    if is_person(client_id):
        raise ValueError("no client's id begins with person:")
    return client_id


class BootstrapClient(BaseModel):
    """A client that is there from the first start on."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    client_id: Annotated[str, Field(pattern=CODE_PATTERN, max_length=CODE_LENGTH_MAX), AfterValidator(_is_no_person)]
    secret: Annotated[SecretStr, Field(min_length=SECRET_LENGTH_MIN)]
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1)]
    partner_id: Annotated[str, Field(pattern=CODE_PATTERN, max_length=CODE_LENGTH_MAX)] | None = None

    def declared(self) -> DeclaredClient:
        """The client as the use case wants it."""
        return DeclaredClient(self.client_id, self.partner_id, self.scopes, self.secret.get_secret_value())


class CoalitionSettings(ServiceSettings):
    """The signing key, and the clients that are there before anybody could register one."""

    signing_key: SecretStr = Field(
        description="What tokens are signed with: a private Ed25519 key as a JWK in JSON (kty, crv, x, d, kid)."
    )
    published_keys: tuple[dict[str, str], ...] = Field(
        default=(),
        max_length=PUBLISHED_KEYS_MAX,
        description="A JSON list of public Ed25519 JWKs (kty, crv, x, kid), published beside the signing key's: "
        "the key to come, or the one before until its last token has ended (15 minutes).",
    )
    bootstrap_clients: tuple[BootstrapClient, ...] = Field(
        default=(),
        max_length=BOOTSTRAP_CLIENTS_MAX,
        description="A JSON list of clients to have from the start: client_id, secret (at least 16 characters), "
        "scopes, and partner_id where it is bound to one.",
    )

    @field_validator("signing_key")
    @classmethod
    def _is_signing_key(cls, value: SecretStr) -> SecretStr:
        try:
            TokenSigner(_read_json(value), issuer="")
        except InvalidSigningKeyError as error:
            raise ValueError(str(error)) from None
        return value

    @field_validator("published_keys")
    @classmethod
    def _are_public_keys(cls, value: tuple[dict[str, str], ...]) -> tuple[dict[str, str], ...]:
        if any("d" in jwk for jwk in value):
            raise ValueError("a private key is among them: leave d out, and replace that key, since it was told here")
        if len(read_keys(value)) != len(value):
            raise ValueError("each must be a public Ed25519 key with a kid of its own")
        return value

    def token_signer(self) -> TokenSigner:
        """The signer with this key."""
        return TokenSigner(_read_json(self.signing_key), issuer=self.token_issuer, published=self.published_keys)


def _read_json(value: SecretStr) -> dict[str, Any]:
    try:
        document = json.loads(value.get_secret_value())
    except ValueError:
        raise InvalidSigningKeyError("the signing key must be a JWK in JSON") from None
    if not isinstance(document, dict):
        raise InvalidSigningKeyError("the signing key must be a JWK: one JSON object")
    return document
