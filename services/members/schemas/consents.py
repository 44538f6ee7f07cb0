"""What HTTP says about consents."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field

from services.members.credentials.confirmation_tokens import TOKEN_LENGTH_MAX
from services.members.domain.consents import Confirmation, Consent, ConsentText, Outcome, Statement
from services.members.schemas.fields import AnswerModel, Reference, Source
from services.members.schemas.registry import Language
from services.members.use_cases.record_consent import Recorded
from shared.web import AwareTime, Body, CodeText, Flag

WORDING_LENGTH_MAX = 4_000
LANGUAGES_MAX = 50


class ConsentBody(Body):
    """What a member says. Giving and withdrawing differ in one word; a withdrawal need not name a text."""

    purpose: CodeText
    channel: CodeText
    partner_id: CodeText | None = Field(default=None, description="To whom; left out: to the programme itself.")
    is_granted: Flag
    text_version: CodeText | None = Field(
        default=None, description="The text that the member had before them; needed when a consent is given."
    )
    language: Language | None = None
    source: Source
    proof: Reference | None = None
    stated_at: AwareTime | None = Field(
        default=None, description="When the member said so; left out: now. An older statement changes nothing."
    )


class ConfirmationBody(Body):
    """The token that came to the member's address."""

    token: str = Field(min_length=1, max_length=TOKEN_LENGTH_MAX, repr=False)


class WordingBody(Body):
    """A text in one language."""

    language: Language
    wording: Annotated[str, Field(min_length=1, max_length=WORDING_LENGTH_MAX)]


class ConsentTextBody(Body):
    """One version of the text that a consent is given before, in each of its languages."""

    purpose: CodeText
    channel: CodeText
    text_version: CodeText
    wordings: list[WordingBody] = Field(min_length=1, max_length=LANGUAGES_MAX)

    def texts(self) -> list[ConsentText]:
        """A text for each language."""
        return [
            ConsentText(self.purpose, self.channel, self.text_version, each.language, each.wording)
            for each in self.wordings
        ]


class ConsentTextAnswer(AnswerModel):
    """A text that consents are given before. It never changes."""

    purpose: str
    channel: str
    text_version: str
    language: str
    wording: str

    @classmethod
    def of(cls, text: ConsentText) -> Self:
        """The answer for a text."""
        return cls(
            purpose=text.purpose,
            channel=text.channel,
            text_version=text.text_version,
            language=text.language,
            wording=text.wording,
        )


class ConsentTextsAnswer(AnswerModel):
    """One version in its languages."""

    texts: list[ConsentTextAnswer]


class StatementAnswer(AnswerModel):
    """What a member said once. ``partner_id`` is null for the programme."""

    statement_id: UUID
    member_id: UUID
    purpose: str
    channel: str
    partner_id: str | None
    is_granted: bool
    text_version: str
    language: str
    source: str
    proof: str | None
    stated_at: datetime
    recorded_at: datetime


def _said(statement: Statement) -> dict[str, object]:
    return {
        "statement_id": statement.statement_id,
        "member_id": statement.key.member_id,
        "purpose": statement.key.purpose,
        "channel": statement.key.channel,
        "partner_id": statement.key.partner_id,
        "is_granted": statement.is_granted,
        "text_version": statement.text_version,
        "language": statement.language,
        "source": statement.source,
        "proof": statement.proof,
        "stated_at": statement.stated_at,
        "recorded_at": statement.recorded_at,
    }


class TokenAnswer(AnswerModel):
    """What has to be presented, and until when. The token stands here and nowhere else."""

    token: str = Field(repr=False)
    expires_at: datetime


class RecordedAnswer(StatementAnswer):
    """What became of a statement: it holds, it waits to be confirmed, or a newer one holds.

    ``version`` is that of the consent as it stands now; null while nothing holds.
    """

    outcome: Outcome
    version: int | None
    confirmation: TokenAnswer | None

    @classmethod
    def of(cls, recorded: Recorded, sealed_token: str) -> Self:
        """The answer for what was recorded."""
        waits = recorded.confirmation
        return cls.model_validate(
            _said(recorded.statement)
            | {
                "outcome": recorded.outcome,
                "version": None if recorded.consent is None else recorded.consent.version,
                "confirmation": None if waits is None else TokenAnswer(token=sealed_token, expires_at=waits.expires_at),
            }
        )

    def with_token(self, token: str) -> Self:
        """The same with the token that is to be shown."""
        if self.confirmation is None:
            return self
        return self.model_copy(update={"confirmation": self.confirmation.model_copy(update={"token": token})})


class ConsentAnswer(StatementAnswer):
    """A consent as it holds, with the statement that it follows from."""

    version: int

    @classmethod
    def of(cls, consent: Consent) -> Self:
        """The answer for a consent."""
        return cls.model_validate(_said(consent.statement) | {"version": consent.version})


class AwaitedAnswer(StatementAnswer):
    """A consent that was given and does not hold until it is confirmed."""

    expires_at: datetime

    @classmethod
    def of(cls, confirmation: Confirmation) -> Self:
        """The answer for what waits."""
        return cls.model_validate(_said(confirmation.statement) | {"expires_at": confirmation.expires_at})


class ConsentsAnswer(AnswerModel):
    """What a member allows now. What stands in neither list was never given."""

    member_id: UUID
    consents: list[ConsentAnswer]
    awaited: list[AwaitedAnswer]

    @classmethod
    def of(cls, member_id: UUID, consents: list[Consent], awaited: list[Confirmation]) -> Self:
        """The answer for a member."""
        return cls(
            member_id=member_id,
            consents=[ConsentAnswer.of(consent) for consent in consents],
            awaited=[AwaitedAnswer.of(confirmation) for confirmation in awaited],
        )


class HistoryAnswer(StatementAnswer):
    """A statement of the past. ``confirmation`` is null where none was needed."""

    confirmation: Literal["awaited", "expired", "confirmed", "superseded"] | None

    @classmethod
    def of(cls, statement: Statement, confirmation: Confirmation | None, now: datetime) -> Self:
        """The answer for a statement."""
        state: str | None = None
        if confirmation is not None:
            is_late = confirmation.state == "awaited" and now >= confirmation.expires_at
            state = "expired" if is_late else confirmation.state
        return cls.model_validate(_said(statement) | {"confirmation": state})
