"""How many requests a caller may make: a token bucket for each client, till and person, in this process's memory.

Answers tell it in the headers ``RateLimit-Policy`` and ``RateLimit`` of the IETF's draft
``draft-ietf-httpapi-ratelimit-headers-10``; who asks too much gets 429 with ``Retry-After``. A client may have a limit
of its own, which coalition keeps; all others have that of the settings. Each process counts for itself: with n
processes behind one address a caller may have n times as much.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

# Who has not called for longest is forgotten first, and starts with a full bucket when he comes back.
CALLERS_MAX = 20_000
POLICY = "client"
POLICY_HEADER = "RateLimit-Policy"
LIMIT_HEADER = "RateLimit"


@dataclass(frozen=True, slots=True)
class Policy:
    """``requests`` in ``window_seconds``: all of them at once, or one after another."""

    requests: int
    window_seconds: int

    @property
    def per_second(self) -> float:
        """How fast the bucket fills."""
        return self.requests / self.window_seconds


@dataclass(frozen=True, slots=True)
class Bucket:
    """What a caller had left at a moment, in requests."""

    left: float
    at_seconds: float


@dataclass(frozen=True, slots=True)
class Allowance:
    """One request's judgement: ``remaining`` whole requests after it, and when the bucket is full again."""

    is_allowed: bool
    remaining: int
    full_in_seconds: int
    retry_after_seconds: int


def take_one(policy: Policy, bucket: Bucket | None, now_seconds: float) -> tuple[Bucket, Allowance]:
    """The bucket after one more request, and whether it may be made; one that may not takes nothing. Pure."""
    left = float(policy.requests)
    if bucket is not None:
        passed_seconds = max(0.0, now_seconds - bucket.at_seconds)
        left = min(left, bucket.left + passed_seconds * policy.per_second)
    is_allowed = left >= 1
    left -= 1 if is_allowed else 0
    return Bucket(left, now_seconds), Allowance(
        is_allowed=is_allowed,
        remaining=int(left),
        full_in_seconds=math.ceil((policy.requests - left) / policy.per_second),
        retry_after_seconds=0 if is_allowed else max(1, math.ceil((1 - left) / policy.per_second)),
    )


class RateLimiter:
    """Every caller's bucket, ``CALLERS_MAX`` at most."""

    def __init__(self, policy: Policy, monotonic_seconds: Callable[[], float] = time.monotonic) -> None:
        self._policy = policy
        self._monotonic_seconds = monotonic_seconds
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def take(self, client_id: str, own: Policy | None = None) -> Allowance:
        """Count one request of this caller, by its ``own`` limit if it has one. What it has left outlives a change."""
        bucket, allowance = take_one(own or self._policy, self._buckets.get(client_id), self._monotonic_seconds())
        self._buckets[client_id] = bucket
        self._buckets.move_to_end(client_id)
        if len(self._buckets) > CALLERS_MAX:
            self._buckets.popitem(last=False)
        return allowance

    def headers(self, allowance: Allowance, own: Policy | None = None) -> dict[str, str]:
        """What the answer says of the limit, whether or not it was kept to."""
        policy = own or self._policy
        told = {
            POLICY_HEADER: f'"{POLICY}";q={policy.requests};w={policy.window_seconds}',
            LIMIT_HEADER: f'"{POLICY}";r={allowance.remaining};t={allowance.full_in_seconds}',
        }
        return told if allowance.is_allowed else told | {"Retry-After": str(allowance.retry_after_seconds)}
