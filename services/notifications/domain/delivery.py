"""What became of one attempt to deliver a message, and what follows from it.

The line that matters runs between the message's own fault and an outage: only the first may end a message. An outage
(registry or mail server away, our sender address or password refused) never does, however long it lasts.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias, assert_never

from services.notifications.domain.standing import StatusReason

# 1, 2, 4 … minutes, then six hours each: ten deferrals last about fourteen hours.
DEFERRALS_MAX = 10
DEFERRAL_SECONDS_FIRST = 60.0
DEFERRAL_SECONDS_MAX = 6 * 3600.0
OUTAGE_RETRY_SECONDS = 15.0
JITTER_SHARE = 0.2

SERVICE_CLOSING = 421

Stage = Literal["sender", "recipient", "content"]


@dataclass(frozen=True, slots=True)
class Accepted:
    """The mail server took the message."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The mail server refused this message or this recipient for good."""

    reason: Literal["recipient_refused", "message_refused"]
    reply_code: int


@dataclass(frozen=True, slots=True)
class NotDeliverable:
    """There is nobody to send it to, by the member's status or without an address that mail can reach; or nothing to
    say any more, as of a code that has expired.
    """

    reason: (
        StatusReason | Literal["member_unknown", "no_address", "address_unsupported", "nothing_to_tell", "code_expired"]
    )


@dataclass(frozen=True, slots=True)
class Deferred:
    """The mail server said: not this message, not now."""

    reply_code: int


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The connection, or the process, was lost in the middle of this message: the server may have taken it."""


@dataclass(frozen=True, slots=True)
class NotRendered:
    """The template could not say it: a fault of ours, which a release may mend."""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The registry or the mail server is away, or so slow that the lease would end.

    The message has nothing to do with it, and was not accepted.
    """

    cause: Literal["registry", "mail_server", "lease"]


Outcome: TypeAlias = Accepted | Refused | NotDeliverable | Deferred | Interrupted | NotRendered | Unavailable


@dataclass(frozen=True, slots=True)
class Settle:
    """The end of a message."""

    state: Literal["sent", "failed", "suppressed"]
    reason: str | None
    reply_code: int | None


@dataclass(frozen=True, slots=True)
class Retry:
    """Another attempt, ``delay_seconds`` of real time from now; ``deferrals`` is the new count."""

    delay_seconds: float
    deferrals: int
    reply_code: int | None


def judge_reply(stage: Stage, reply_code: int) -> Deferred | Refused | Unavailable:
    """What a reply other than "taken" means, by the command that it answers.

    A refused sender says nothing about the message: it is our own set-up or the server's state, hence an outage.
    """
    if stage == "sender" or reply_code == SERVICE_CLOSING:
        return Unavailable("mail_server")
    if 500 <= reply_code <= 599:
        return Refused("recipient_refused" if stage == "recipient" else "message_refused", reply_code)
    return Deferred(reply_code)


def decide(outcome: Outcome, deferrals: int, jitter: float) -> Settle | Retry:
    """What to do with a message after an attempt. ``deferrals`` counts those before it; ``jitter`` is in [0, 1).

    An interruption counts as a deferral: without a bound, a server that takes a message and then drops the connection
    would make the member receive it for ever.
    """
    match outcome:
        case Accepted():
            return Settle("sent", None, None)
        case Refused(reason=reason, reply_code=reply_code):
            return Settle("failed", reason, reply_code)
        case NotDeliverable(reason=reason):
            return Settle("suppressed", reason, None)
        case Deferred(reply_code=reply_code):
            return _defer("deferred_too_often", deferrals + 1, reply_code, jitter)
        case Interrupted():
            return _defer("interrupted_too_often", deferrals + 1, None, jitter)
        case NotRendered():
            return _defer("not_rendered", deferrals + 1, None, jitter)
        case Unavailable():
            return Retry(_spread(OUTAGE_RETRY_SECONDS, jitter), deferrals, None)
        case _:
            assert_never(outcome)


def is_exhausted(deferrals: int) -> bool:
    """Whether a message has been deferred more often than it may be."""
    return deferrals > DEFERRALS_MAX


def _defer(reason: str, deferrals: int, reply_code: int | None, jitter: float) -> Settle | Retry:
    if is_exhausted(deferrals):
        return Settle("failed", reason, reply_code)
    delay_seconds = min(DEFERRAL_SECONDS_FIRST * 2 ** (deferrals - 1), DEFERRAL_SECONDS_MAX)
    return Retry(_spread(delay_seconds, jitter), deferrals, reply_code)


def _spread(delay_seconds: float, jitter: float) -> float:
    return delay_seconds * (1 + JITTER_SHARE * jitter)
