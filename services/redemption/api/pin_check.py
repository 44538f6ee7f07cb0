"""The PIN that comes with a request: members is asked about it before the transaction, as fraud is."""

from dataclasses import replace
from typing import Protocol
from uuid import UUID

import structlog
from pydantic import SecretStr

from services.redemption.domain.confirming import CODE_ALONE, Asked, Challenge, Verdict
from services.redemption.domain.pins import PinSaid, TriedPin, Way
from services.redemption.gateways.asking import UnansweredError, within
from services.redemption.repository import challenges
from shared.database import Database
from shared.web import Problem

log = structlog.get_logger(__name__)


class Pins(Protocol):
    """Who knows them."""

    async def ways(self, member_id: UUID, /) -> tuple[Way, ...]:
        """Raises UnansweredError."""

    async def verify(self, member_id: UUID, pin: str, /) -> TriedPin:
        """Raises UnansweredError."""


class PinCheck:
    """Asks members about PINs, for no longer than a deadline, and only where something is to be confirmed."""

    def __init__(self, database: Database, pins: Pins, deadline_seconds: float) -> None:
        self._database = database
        self._pins = pins
        self._deadline_seconds = deadline_seconds

    async def about(self, asked: Asked, pin: SecretStr | None) -> Asked:
        """The wish with what is known of its PIN; without one, with the ways by which it could be confirmed.

        A PIN is tried only for a challenge that is open, and for the very request that it is about: what is sent again
        after it was let go needs no PIN, and no members.
        """
        if asked.opinion.by == "fraud" and asked.opinion.verdict is not Verdict.STEP_UP:
            return asked
        if pin is not None:
            return replace(asked, pin=await self._said(asked, pin))
        if asked.opinion.verdict is not Verdict.STEP_UP:
            return asked
        return replace(asked, ways=await self._ways(asked.wish.member_id))

    async def _said(self, asked: Asked, pin: SecretStr) -> PinSaid:
        async with self._database.statements() as connection:
            challenge = await challenges.find_open(connection, asked.wish.decision_id)
        if challenge is None or not _waits(challenge, asked):
            return PinSaid()
        try:
            async with within(self._deadline_seconds):
                tried = await self._pins.verify(challenge.member_id, pin.get_secret_value())
        except (UnansweredError, TimeoutError) as error:
            log.debug("members did not answer about a PIN", reason=str(error) or "too late")
            return PinSaid(challenge.challenge_id)
        return PinSaid(challenge.challenge_id, tried)

    async def _ways(self, member_id: UUID) -> tuple[Way, ...]:
        try:
            async with within(self._deadline_seconds):
                return await self._pins.ways(member_id)
        except (UnansweredError, TimeoutError) as error:
            log.debug("members did not answer about a PIN", reason=str(error) or "too late")
            return CODE_ALONE


def pin_refused(tried: TriedPin) -> Problem:
    """Why a PIN lets nothing go. Nothing is stored under the request's key: the code may still come, or another PIN."""
    extensions: dict[str, object] = {}
    if tried.tries_left is not None:
        extensions["tries_left"] = tried.tries_left
    if tried.locked_until is not None:
        extensions["locked_until"] = tried.locked_until.isoformat()
    match tried.outcome:
        case "wrong":
            detail = f"this is not the member's PIN. {tried.tries_left} more may be tried"
            return _problem("wrong-pin", "Wrong PIN", detail, extensions)
        case "locked":
            return _problem("pin-locked", "PIN locked", "too many wrong PINs came: send the code instead", extensions)
        case "resting":
            return _problem("pin-rests", "PIN rests", "the member's PIN is too new: send the code instead", extensions)
        case _:
            return _problem("no-pin", "No PIN", "the member has no PIN: send the code instead", extensions)


def _problem(slug: str, title: str, detail: str, extensions: dict[str, object]) -> Problem:
    return Problem(409, slug, f"Nothing left: {detail}.", title=title, extensions=extensions)


def _waits(challenge: Challenge, asked: Asked) -> bool:
    return challenge.tries_left > 0 and challenge.request_hash == asked.request_hash
