"""What a service is made of, said once in its ``app.py``."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from fastapi import APIRouter

from shared.events.catalogue import TopicEvents
from shared.kafka import ConsumerLimits, Handler
from shared.runtime.retention import DataClass
from shared.web.health import Check
from shared.web.tills import FindTill

Step: TypeAlias = Callable[[], Awaitable[None]]

PERIODIC_SECONDS_MAX = 60.0


@dataclass(frozen=True, slots=True)
class Subscription:
    """A topic that the service's worker reads, and its own retry topic with it.

    ``wants`` looks at a record's headers and skips it undecoded. A service with effects dead-letters unknown types.
    """

    events: TopicEvents[Any]
    handler: Handler[Any]
    limits: ConsumerLimits = field(default_factory=ConsumerLimits)
    wants: Callable[[Mapping[str, bytes]], bool] | None = None
    unknown_types: Literal["dead-letter", "skip"] = "skip"


@dataclass(frozen=True, slots=True)
class Periodic:
    """Work that every worker does again and again, ``interval_seconds`` after the last time ended.

    With ``in_every_role`` an api does it too: for what a process keeps in its own memory.

    Several workers do it at once, and it may be cut off at any point: it must be safe to repeat, and go page by page.
    One pass that lasts longer than ``pass_seconds_max`` is cancelled. A pass that fails is logged, counted and tried
    again, later each time.
    """

    name: str
    interval_seconds: float
    work: Step
    pass_seconds_max: float = PERIODIC_SECONDS_MAX
    in_every_role: bool = False


@dataclass(frozen=True, slots=True)
class Wiring:
    """The parts of a service. A role starts what it needs: an api no subscriptions, a worker no routes.

    ``on_start`` runs in order before anything is served or read, in every role; ``on_stop`` in order when all of it
    has ended. ``retention`` names what is kept for a time, beside dead letters. ``domain_problems`` says once how
    errors of the domain answer over HTTP: (status, slug, title).
    """

    routers: Sequence[APIRouter] = ()
    subscriptions: Sequence[Subscription] = ()
    periodic: Sequence[Periodic] = ()
    retention: Sequence[DataClass] = ()
    checks: Sequence[Check] = ()
    on_start: Sequence[Step] = ()
    on_stop: Sequence[Step] = ()
    find_till: FindTill | None = None
    domain_problems: Mapping[type[Exception], tuple[int, str, str]] = field(default_factory=dict)
