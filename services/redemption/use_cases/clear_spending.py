"""Let points leave, ask for a code, or refuse: inside the transaction in which they would leave."""

from dataclasses import dataclass, replace

from services.redemption.domain.confirming import (
    CHALLENGES_MAX,
    CHALLENGES_WINDOW,
    CODE_LIFE,
    Asked,
    Challenge,
    Clearance,
    NoChallengeError,
    Opinion,
    SpendingDeniedError,
    TooManyChallengesError,
    Verdict,
    Wish,
)
from services.redemption.domain.errors import UnknownMemberError
from services.redemption.domain.pins import PinSaid, PinUncheckedError, TriedPin
from services.redemption.domain.standing import HIDDEN
from services.redemption.repository import challenges
from services.redemption.use_cases.messages import challenged_message
from shared import outbox
from shared.database import Transaction
from shared.ids import new_id
from shared.one_time_codes import CodeKeys


@dataclass(frozen=True, slots=True)
class OtherRequest:
    """The key stands for another request."""


@dataclass(frozen=True, slots=True)
class Challenged:
    """Nothing leaves yet: a code was sent, now or by the same request before. ``is_wrong``: what came is not it."""

    challenge: Challenge
    is_wrong: bool = False


@dataclass(frozen=True, slots=True)
class PinRefused:
    """Nothing leaves yet: the PIN that came does not let it go."""

    tried: TriedPin


def cleared_by_fraud(asked: Asked) -> Clearance | None:
    """What lets points go where fraud allows it; None where it does not, or did not answer."""
    if asked.opinion != Opinion(Verdict.ALLOW, "fraud"):
        return None
    return Clearance(asked.wish.member_id, asked.wish.decision_id, "fraud")


async def clear_spending(
    transaction: Transaction, asked: Asked, code: str | None, keys: CodeKeys
) -> Clearance | Challenged | PinRefused | OtherRequest:
    """What becomes of a wish. Where fraud allows it, nothing is read or written.

    The challenge of a request is locked to the commit, so that tries are counted one by one, and a code is used in the
    commit of what it lets go: where that is rolled back, the code was not used. One that was sent is needed, or the
    member's PIN in its place, whatever the ceiling says by now.

    Raises:
        SpendingDeniedError, CodeExpiredError, CodeTriesUsedUpError, NoChallengeError, TooManyChallengesError,
        UnknownMemberError: nothing leaves, and nothing was changed.
        PinUncheckedError: the same; asked again a moment later, it may go.
    """
    wish, opinion = asked.wish, asked.opinion
    if opinion.verdict is Verdict.OTHER_REQUEST:
        return OtherRequest()
    if (clearance := cleared_by_fraud(asked)) is not None:
        return clearance
    challenge = await challenges.lock(transaction, wish.decision_id)
    if challenge is not None and challenge.request_hash != asked.request_hash:
        return OtherRequest()
    if opinion.verdict is Verdict.DENY and (opinion.by == "fraud" or challenge is None):
        raise SpendingDeniedError
    if challenge is not None:
        return await _confirm(transaction, asked, challenge, code, keys)
    if opinion.verdict is Verdict.ALLOW:
        return Clearance(wish.member_id, wish.decision_id, "ceiling")
    if code is not None or asked.pin is not None:
        raise NoChallengeError
    return await _challenge(transaction, asked, keys)


async def _confirm(
    transaction: Transaction, asked: Asked, challenge: Challenge, code: str | None, keys: CodeKeys
) -> Clearance | Challenged | PinRefused:
    challenge.require_open(transaction.now)
    if asked.pin is not None:
        return await _confirm_by_pin(transaction, asked.wish, challenge, asked.pin)
    if code is None:
        return Challenged(challenge)
    tried = challenge.tried(code, keys.code_of(challenge.challenge_id, challenge.key_id), transaction.now)
    await challenges.save_try(transaction, tried)
    if tried.used_at is None:
        return Challenged(tried, is_wrong=True)
    return Clearance(asked.wish.member_id, asked.wish.decision_id, "code")


async def _confirm_by_pin(
    transaction: Transaction, wish: Wish, challenge: Challenge, said: PinSaid
) -> Clearance | Challenged | PinRefused:
    """What was tried for this very challenge, before it was locked, lets its request go, and uses it up."""
    if said.challenge_id != challenge.challenge_id:  # it came to be since the PIN was looked at
        return Challenged(challenge)
    if said.tried is None:
        raise PinUncheckedError
    if said.tried.outcome != "verified":
        return PinRefused(said.tried)
    await challenges.save_try(transaction, replace(challenge, used_at=transaction.now))
    return Clearance(wish.member_id, wish.decision_id, "pin")


async def _challenge(transaction: Transaction, asked: Asked, keys: CodeKeys) -> Challenged:
    wish, key_id = asked.wish, keys.current_id
    if key_id is None:
        raise SpendingDeniedError  # without a key there are no codes: settings refuse that where fraud is asked
    party = await challenges.find_party(transaction, wish.member_id)
    if party is None or party.status in HIDDEN:
        raise UnknownMemberError
    wish = replace(wish, member_id=party.member_id)
    sent = await challenges.count_since(transaction, wish.member_id, transaction.now - CHALLENGES_WINDOW)
    if sent >= CHALLENGES_MAX:
        raise TooManyChallengesError
    expires_at = transaction.now + CODE_LIFE
    challenge = Challenge(new_id(), wish.decision_id, wish.member_id, asked.request_hash, key_id, expires_at)
    await challenges.save(transaction, challenge, wish)
    await outbox.record(transaction, [challenged_message(transaction, challenge, wish)])
    return Challenged(challenge)
