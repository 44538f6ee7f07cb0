"""What HTTP says of joining."""

from typing import Annotated

from pydantic import Field

from services.members.domain.joining import Channel
from services.members.schemas.consents import ConsentBody
from services.members.schemas.registry import IDENTIFIERS_MAX, IdentifierBody, Language, PersonBody, Region
from services.members.schemas.terms import AcceptanceBody
from shared.web import Body

CONSENTS_MAX = 20
REFERRAL_CODE_LENGTH_MAX = 20

ReferralCode = Annotated[str, Field(min_length=1, max_length=REFERRAL_CODE_LENGTH_MAX, examples=["7KQM-2XWPA-D"])]


class _FirstWords(Body):
    """What a new member says on joining."""

    language: Language
    region: Region | None = None
    accepts_terms: AcceptanceBody | None = None
    consents: list[ConsentBody] = Field(
        default_factory=list,
        max_length=CONSENTS_MAX,
        description="Except to e-mail, which its owner confirms: give that one once the member is enrolled.",
    )
    referral_code: ReferralCode | None = None


class EnrolmentBody(PersonBody, _FirstWords):
    """A person who joins. List the phone under ``identifiers`` too if tills may ask for it."""

    channel: Channel = "web"
    identifiers: list[IdentifierBody] = Field(default_factory=list, max_length=IDENTIFIERS_MAX)


class CardEnrolmentBody(_FirstWords):
    """A card that joins before anybody says whose it is."""

    channel: Channel = "pos"
    identifiers: list[IdentifierBody] = Field(min_length=1, max_length=IDENTIFIERS_MAX)
