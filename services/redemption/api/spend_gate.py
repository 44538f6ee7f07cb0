"""The gate before points leave: fraud is asked before the transaction, and what it says is carried out inside it."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol, TypeAlias
from uuid import UUID, uuid5

import structlog
from pydantic import SecretStr

from services.redemption import metrics
from services.redemption.api.pin_check import PinCheck, pin_refused
from services.redemption.domain.confirming import (
    Asked,
    Ceiling,
    Clearance,
    CodeExpiredError,
    CodeTriesUsedUpError,
    NoChallengeError,
    Opinion,
    OwnerChangedError,
    SpendingDeniedError,
    SpendKind,
    TooManyChallengesError,
    Verdict,
    Wish,
)
from services.redemption.domain.pins import PinUncheckedError
from services.redemption.gateways.asking import UnansweredError, within
from services.redemption.repository import challenges
from services.redemption.schemas.challenges import ChallengeAnswer
from services.redemption.use_cases.clear_spending import Challenged, OtherRequest, PinRefused, clear_spending
from services.redemption.use_cases.hold_points import Spender
from shared.database import Database, Transaction
from shared.one_time_codes import CodeKeys
from shared.web import Answer, Decided, KeyedRequest, Principal, Problem, ProblemAnswer, UnderWay

# Of a client and its Idempotency-Key follows the id that fraud decides under.
DECISIONS = UUID("6a0c7c5e-3f5b-4d0e-9a54-0b8f0f5b0c11")

GATE_PROBLEMS: dict[type[Exception], tuple[int, str, str]] = {
    SpendingDeniedError: (409, "spending-denied", "Spending denied"),
    CodeExpiredError: (409, "code-expired", "Code expired"),
    CodeTriesUsedUpError: (409, "code-tries-used-up", "Code tries used up"),
    NoChallengeError: (409, "no-code-sent", "No code sent"),
    TooManyChallengesError: (409, "too-many-codes", "Too many codes"),
    PinUncheckedError: (503, "pin-unchecked", "PIN unchecked"),
    OwnerChangedError: (409, "other-member-by-now", "Other member by now"),
}

log = structlog.get_logger(__name__)


HasLeft: TypeAlias = Callable[[Transaction], Awaitable[bool]]
_ALLOWED = Opinion(Verdict.ALLOW, "fraud")


class Wanted(NamedTuple):
    """What is asked for, of whomever it is."""

    kind: SpendKind
    point_type: str
    points: int
    partner_id: str | None = None
    store_id: str | None = None


class Fraud(Protocol):
    """Who decides."""

    async def decide(self, wish: Wish, /) -> Verdict:
        """Raises UnansweredError."""


class SpendGate:
    """Asks, and lets go. Without anybody to ask, everything goes as if nobody had been."""

    def __init__(
        self,
        database: Database,
        *,
        fraud: Fraud | None = None,
        deadline_seconds: float = 0.05,
        ceiling: Ceiling | None = None,
        keys: CodeKeys | None = None,
        pins: PinCheck | None = None,
    ) -> None:
        self._database = database
        self._fraud = fraud
        self._deadline_seconds = deadline_seconds
        self._ceiling = ceiling or Ceiling(0)
        self._keys = keys or CodeKeys({})
        self._pins = pins

    async def ask(
        self,
        principal: Principal,
        key: KeyedRequest,
        fingerprint: bytes,
        spender: Spender,
        wanted: Wanted,
        pin: SecretStr | None = None,
    ) -> Asked | None:
        """Ask fraud, for no longer than the deadline; None where nobody is asked, or nobody is known by what was shown.

        The id follows from client and key: the same request sent twice gets one decision. Where it is to be confirmed,
        members is asked about the PIN.
        """
        if self._fraud is None:
            return None
        member_id = spender.member_id
        if member_id is None:
            async with self._database.statements() as connection:
                member_id = await challenges.find_owner(connection, spender.identifier_hashes)
            if member_id is None:
                return None
        decision_id = uuid5(DECISIONS, f"{principal.client_id} {key.key}")
        wish = Wish(
            decision_id,
            wanted.kind,
            member_id,
            wanted.point_type,
            wanted.points,
            wanted.partner_id,
            wanted.store_id,
        )
        opinion = await self._opinion_of(self._fraud, wish)
        metrics.ASKS.labels(opinion.verdict.value, opinion.by).inc()
        asked = Asked(wish, key.request_hash(fingerprint), opinion)
        return asked if self._pins is None else await self._pins.about(asked, pin)

    async def clear(
        self, transaction: Transaction, asked: Asked | None, code: str | None, has_left: HasLeft
    ) -> Clearance | UnderWay | ProblemAnswer | None:
        """Whether the points may leave in this transaction; an answer where they may not, or not yet. None: unasked, or
        they left before under their own id (``has_left``), so that what is asked again moves nothing, under whatever
        key: nobody is sent a code for it, and nobody is told that it is denied.
        """
        if asked is None:
            return None
        if asked.opinion != _ALLOWED and await has_left(transaction):
            return None
        match await clear_spending(transaction, asked, code, self._keys):
            case Clearance() as clearance:
                return clearance
            case Challenged(challenge=challenge, is_wrong=False):
                return UnderWay(Answer(202, ChallengeAnswer.of(challenge, asked.ways)))
            case PinRefused(tried=tried):
                return UnderWay(ProblemAnswer(pin_refused(tried)))
            case Challenged(challenge=challenge) if challenge.tries_left <= 0:
                error = CodeTriesUsedUpError()  # what it wrote stays, and so does the refusal
                status, slug, title = GATE_PROBLEMS[CodeTriesUsedUpError]
                return ProblemAnswer(Problem(status, slug, f"Nothing left: {error}.", title=title))
            case Challenged(challenge=challenge):
                return UnderWay(ProblemAnswer(_wrong_code(challenge.tries_left)))
            case OtherRequest():
                return UnderWay(ProblemAnswer(_other_request()))

    async def settled(self, transaction: Transaction, clearance: Clearance | None, answer: Decided) -> Decided:
        """The answer as it is. Where nothing left after all, and the request may come again, what the member confirmed
        counts then."""
        if clearance is not None and clearance.decided_by in ("code", "pin") and isinstance(answer, UnderWay):
            await challenges.save_unused(transaction, clearance.decision_id)
        return answer

    async def _opinion_of(self, fraud: Fraud, wish: Wish) -> Opinion:
        try:
            async with within(self._deadline_seconds):
                return Opinion(await fraud.decide(wish), "fraud")
        except (UnansweredError, TimeoutError) as error:
            log.debug("fraud did not answer", reason=str(error) or "too late")
            return self._ceiling.opinion_on(wish.points)


def outcome_of(answer: UnderWay | ProblemAnswer) -> str:
    """What metrics call an answer by which nothing left."""
    return "confirmation_needed" if isinstance(answer, UnderWay) and answer.answer.status < 400 else "not_confirmed"


def _wrong_code(tries_left: int) -> Problem:
    return Problem(
        409,
        "wrong-code",
        f"Nothing left: this is not the code that the member was sent. {tries_left} more may be tried.",
        title="Wrong code",
        extensions={"tries_left": tries_left},
    )


def _other_request() -> Problem:
    return Problem(
        422,
        "idempotency-key-reused",
        "This Idempotency-Key came with another request before: use a new key for a new request.",
    )
