"""OIDC issuers that the settings name: whose tokens staff may come with, beside those of our own token endpoint."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from shared.roles import PARTNER_ROLE, Role
from shared.web.addresses import is_trustworthy, same_place
from shared.web.keys import Algorithm

EXTERNAL_ISSUERS_MAX = 8
ROLE_NAMES_MAX = 200
CLAIM_DEPTH_MAX = 4


def _as_path(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


# Where in a token a claim is found: its name, or the names from the outside in (["realm_access", "roles"]). A name may
# have dots in it, so that a path has no other form.
ClaimPath: TypeAlias = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=200)], ...],
    BeforeValidator(_as_path),
    Field(min_length=1, max_length=CLAIM_DEPTH_MAX),
]


class ExternalIssuer(BaseModel):
    """One issuer: what its tokens must show, and what its words mean here.

    Whoever is named here is trusted with everything that ``roles`` gives, for whichever partner the token names.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    issuer: str = Field(max_length=300)
    audience: str = Field(min_length=1, max_length=200)
    algorithms: tuple[Algorithm, ...] = Field(min_length=1, max_length=5)
    prefix: str = Field(pattern=r"^[a-z][a-z0-9]{0,15}$")
    roles_claim: ClaimPath
    roles: dict[Annotated[str, Field(min_length=1, max_length=200)], Role] = Field(
        min_length=1, max_length=ROLE_NAMES_MAX
    )
    partner_claim: ClaimPath | None = None

    @field_validator("issuer")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if not is_trustworthy(value):
            raise ValueError("it must be an https:// address without an account (http:// only on this host itself)")
        if "?" in value or "#" in value:
            raise ValueError("it must be an address without ? and #, as the issuer writes it in its tokens")
        return value

    @model_validator(mode="after")
    def _partners_are_named(self) -> "ExternalIssuer":
        if (PARTNER_ROLE in self.roles.values()) != (self.partner_claim is not None):
            raise ValueError(
                f"partner_claim and the role {PARTNER_ROLE} go together: say which claim names the partner of its "
                "users, or leave both out"
            )
        return self


def first_clash(issuers: Sequence[ExternalIssuer], own_issuer: str) -> str | None:
    """Why these cannot be told apart, None where they can. Pure."""
    places = Counter(same_place(each.issuer) for each in issuers)
    prefixes = Counter(each.prefix for each in issuers)
    if any(count > 1 for count in places.values()):
        return "two of them have the same issuer"
    if any(count > 1 for count in prefixes.values()):
        return "two of them have the same prefix: their people would be taken for one another"
    if any(each.issuer == own_issuer for each in issuers):
        return "one of them is TESSERA_TOKEN_ISSUER, our own"
    return None
