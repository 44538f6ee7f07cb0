"""What HTTP says about the programme's terms."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, StringConstraints

from services.members.domain.terms import Acceptance, Terms, TermsState
from services.members.schemas.fields import AnswerModel, Reference, Source
from services.members.schemas.registry import Language
from shared.web import AwareTime, Body, CodeText

TITLE_LENGTH_MAX = 200
PARAGRAPH_LENGTH_MAX = 10_000
PARAGRAPHS_MAX = 1_000

Paragraph = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=PARAGRAPH_LENGTH_MAX)]


class TermsBody(Body):
    """A draft of one version in one language. It takes the place of the draft that is there."""

    terms_version: CodeText
    language: Language
    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=TITLE_LENGTH_MAX)]
    paragraphs: list[Paragraph] = Field(min_length=1, max_length=PARAGRAPHS_MAX)
    effective_from: AwareTime

    def as_draft(self) -> Terms:
        """The draft without its text."""
        return Terms(self.language, self.terms_version, self.title, self.effective_from, None)


class PublicationBody(Body):
    """When members are told; left out: now. A change takes effect ``TESSERA_TERMS_NOTICE_DAYS`` later or after that."""

    announced_at: AwareTime | None = None


class AcceptanceBody(Body):
    """A member accepted a version that is published."""

    terms_version: CodeText
    language: Language
    source: Source
    proof: Reference | None = None
    accepted_at: AwareTime | None = Field(default=None, description="When the member did so; left out: now.")


class TermsAnswer(AnswerModel):
    """A version without its text, and where it stands now."""

    language: str
    terms_version: str
    title: str
    effective_from: datetime
    announced_at: datetime | None
    state: TermsState

    @classmethod
    def of(cls, terms: Terms, state: TermsState) -> Self:
        """The answer for a version."""
        return cls(
            language=terms.language,
            terms_version=terms.terms_version,
            title=terms.title,
            effective_from=terms.effective_from,
            announced_at=terms.announced_at,
            state=state,
        )


class TermsTextAnswer(TermsAnswer):
    """A version with its text."""

    paragraphs: list[str]

    @classmethod
    def with_text(cls, terms: Terms, state: TermsState, paragraphs: list[str]) -> Self:
        """The answer for a version with its text."""
        return cls(**TermsAnswer.of(terms, state).model_dump(), paragraphs=paragraphs)


class AcceptanceAnswer(AnswerModel):
    """A member's acceptance of one version."""

    acceptance_id: UUID
    member_id: UUID
    language: str
    terms_version: str
    source: str
    proof: str | None
    accepted_at: datetime
    recorded_at: datetime

    @classmethod
    def of(cls, acceptance: Acceptance) -> Self:
        """The answer for an acceptance."""
        return cls(
            acceptance_id=acceptance.acceptance_id,
            member_id=acceptance.member_id,
            language=acceptance.language,
            terms_version=acceptance.terms_version,
            source=acceptance.source,
            proof=acceptance.proof,
            accepted_at=acceptance.accepted_at,
            recorded_at=acceptance.recorded_at,
        )


class DueTerms(AnswerModel):
    """A version that a member has not accepted, and from when it counts."""

    language: str
    terms_version: str
    title: str
    effective_from: datetime

    @classmethod
    def of(cls, terms: Terms) -> Self:
        """The answer for a version."""
        return cls(
            language=terms.language,
            terms_version=terms.terms_version,
            title=terms.title,
            effective_from=terms.effective_from,
        )


class AcceptancesAnswer(AnswerModel):
    """What a member accepted, the newest first, and what still has to be: what counts, then what will."""

    member_id: UUID
    accepted: list[AcceptanceAnswer]
    to_accept: list[DueTerms]

    @classmethod
    def of(cls, member_id: UUID, accepted: list[Acceptance], due: list[Terms]) -> Self:
        """The answer for a member."""
        return cls(
            member_id=member_id,
            accepted=[AcceptanceAnswer.of(each) for each in accepted],
            to_accept=[DueTerms.of(each) for each in due],
        )
