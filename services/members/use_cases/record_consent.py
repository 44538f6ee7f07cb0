"""A member gives or withdraws a consent: the same act, as easy one way as the other."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from services.members.domain.consents import (
    CONFIRMED_CHANNELS,
    Confirmation,
    Consent,
    ConsentKey,
    ConsentText,
    Outcome,
    Statement,
    ends_waiting,
    in_effect,
    judge_speaker,
    outcome_of,
)
from services.members.domain.errors import MemberNotFoundError
from services.members.domain.stated import stated_time
from services.members.domain.statement_errors import ConsentTextUnknownError, NeedsConfirmationError
from services.members.repository import consent_texts, consents, registry
from services.members.use_cases import announcements
from shared import outbox
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class Said:
    """What a client tells. Text and language may be left out of a withdrawal; a time that is left out is now."""

    statement_id: UUID
    key: ConsentKey
    is_granted: bool
    text_version: str | None
    language: str | None
    source: str
    proof: str | None
    stated_at: datetime | None
    recorded_by: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of it. ``consent`` is what holds now, ``confirmation`` what this statement waits for."""

    statement: Statement
    outcome: Outcome
    consent: Consent | None
    confirmation: Confirmation | None


async def record_consent(
    transaction: Transaction, said: Said, token_sha256: bytes, confirmed_within: timedelta
) -> Recorded:
    """Keep a statement, and record ConsentChanged where it comes to count. Locks the member.

    A statement that is older than the one which holds is kept and changes nothing. One that has to be confirmed waits
    for the token behind ``token_sha256`` and changes nothing until then; nobody is told of it.

    Raises:
        MemberNotFoundError, MemberGoneError, ConsentTextUnknownError, StatedInFutureError: nothing is kept.
    """
    member = await registry.lock_member(transaction, said.key.member_id)
    if member is None:
        raise MemberNotFoundError("there is no such member")
    judge_speaker(member, is_granted=said.is_granted)
    present = await consents.find_consent(transaction, said.key)
    awaited = await consents.find_awaited(transaction, said.key)
    text = await _text_of(transaction, said, present)
    statement = _statement(said, text, transaction.now)
    outcome = outcome_of(statement, present, None if awaited is None else awaited.statement)
    await consents.insert_statement(transaction, statement)
    if outcome == "outdated":
        return Recorded(statement, outcome, present, None)
    if awaited is not None and ends_waiting(statement, awaited.statement):
        await consents.settle_confirmation(transaction, replace(awaited, state="superseded"), said.recorded_by)
    if outcome == "pending":
        confirmation = Confirmation(statement, token_sha256, transaction.now + confirmed_within, "awaited")
        await consents.insert_confirmation(transaction, confirmation)
        return Recorded(statement, outcome, present, confirmation)
    return Recorded(statement, outcome, await let_hold(transaction, statement, present), None)


async def record_said(transaction: Transaction, said: Said) -> None:
    """The same for what needs no confirmation, as what is said on joining.

    Raises:
        NeedsConfirmationError: the channel's consents are confirmed by their owner.
    """
    if said.is_granted and said.key.channel in CONFIRMED_CHANNELS:
        raise NeedsConfirmationError(
            f"/consents: a consent to {said.key.channel} is confirmed by its owner: give it by "
            "POST /v1/members/{id}/consents once the member is enrolled"
        )
    await record_consent(transaction, said, b"", timedelta())


async def let_hold(transaction: Transaction, statement: Statement, present: Consent | None) -> Consent:
    """From now on this statement says what holds; ConsentChanged is recorded. The member must be locked."""
    consent = in_effect(statement, present)
    await consents.save_consent(transaction, consent)
    await outbox.record(transaction, [announcements.consent_changed(transaction, consent)])
    return consent


async def _text_of(transaction: Transaction, said: Said, present: Consent | None) -> ConsentText:
    """The text that the member had before them. A withdrawal need not name one: it takes back what was given."""
    text_version, language = said.text_version, said.language
    if text_version is None and present is not None:
        text_version, language = present.statement.text_version, present.statement.language
    text = await consent_texts.find_text(transaction, said.key.purpose, said.key.channel, text_version, language)
    if text is None:
        raise ConsentTextUnknownError(
            "/text_version: no such text was declared for this purpose, channel and language: see GET /v1/consent-texts"
        )
    return text


def _statement(said: Said, text: ConsentText, now: datetime) -> Statement:
    return Statement(
        statement_id=said.statement_id,
        key=said.key,
        is_granted=said.is_granted,
        text_version=text.text_version,
        language=text.language,
        source=said.source,
        proof=said.proof,
        stated_at=stated_time(said.stated_at, now),
        recorded_at=now,
        recorded_by=said.recorded_by,
    )
