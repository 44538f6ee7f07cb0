"""How a rule set comes into force and goes out of it again. Pure.

draft → submitted → approved → published, at a time → retired. A draft may be changed; once it is submitted its document
stands for ever, unless whoever should approve it refuses it: then it is a draft again. Authors are all who wrote,
changed or submitted it, and none of them approves, refuses, publishes or retires it.

A receipt is judged by the version in force at its own time, however late it comes. So a version that ever counted
judges its time for ever; retiring it says that it does not come back. Only one that has not begun can be withdrawn.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple, TypeAlias
from uuid import UUID

import orjson

from shared.rule_sets.errors import (
    EffectiveTimeTakenError,
    NoSuccessorError,
    OwnDraftError,
    PublishedTooLateError,
    RuleSetStateError,
)

# Every worker has read the new version long before it counts, whatever its refresh interval or a short outage.
NOTICE = timedelta(seconds=60)
FIRST_REVISION = 1

RuleSetState: TypeAlias = Literal["draft", "submitted", "approved", "published", "withdrawn", "retired"]
RuleSetPhase: TypeAlias = Literal[
    "draft", "submitted", "approved", "scheduled", "in_force", "superseded", "withdrawn", "retired"
]
Action: TypeAlias = Literal[
    "drafted", "changed", "submitted", "refused", "approved", "published", "withdrawn", "retired"
]


@dataclass(frozen=True, slots=True)
class LivingRuleSet:
    """A rule set and how far it has come; ``revision`` rises with every step. ``version`` and ``effective_from`` are
    there once it was published.
    """

    rule_set_id: UUID
    document: Mapping[str, Any]
    state: RuleSetState
    authors: tuple[str, ...]
    revision: int
    approved_by: str | None = None
    version: int | None = None
    effective_from: datetime | None = None

    def phase(self, effective_until: datetime | None, now: datetime) -> RuleSetPhase:
        """Its state for people. A published one is in force until the next one is (``effective_until``)."""
        if self.state != "published" and self.state != "retired":
            return self.state
        if self.effective_from is not None and self.effective_from > now:
            return "scheduled"
        if effective_until is None or effective_until > now:
            return "in_force"
        return "retired" if self.state == "retired" else "superseded"

    @property
    def document_sha256(self) -> bytes:
        """Which document it is, whatever the order of its fields."""
        return hashlib.sha256(orjson.dumps(dict(self.document), option=orjson.OPT_SORT_KEYS)).digest()


class Publication(NamedTuple):
    """A version that judges receipts from ``effective_from`` on, or will. Withdrawn ones are none."""

    version: int
    effective_from: datetime
    is_retired: bool


class Step(NamedTuple):
    """One step of a rule set's life, as its history keeps it; ``after`` is the rule set behind it."""

    action: Action
    author: str
    after: LivingRuleSet
    reason: str | None = None


def drafted(rule_set_id: UUID, document: Mapping[str, Any], author: str) -> Step:
    """A new draft."""
    return Step("drafted", author, LivingRuleSet(rule_set_id, document, "draft", (author,), FIRST_REVISION))


def changed(rule_set: LivingRuleSet, document: Mapping[str, Any], author: str) -> Step:
    """The draft with another document.

    Raises:
        RuleSetStateError: it is no draft any more.
    """
    _require_state(rule_set, "draft", "changed: write a new one")
    return Step("changed", author, _next(rule_set, document=document, authors=_with(rule_set.authors, author)))


def submitted(rule_set: LivingRuleSet, author: str) -> Step:
    """The draft, put before a second person: from here on its document stands.

    Raises:
        RuleSetStateError: it is no draft any more.
    """
    _require_state(rule_set, "draft", "submitted")
    return Step("submitted", author, _next(rule_set, state="submitted", authors=_with(rule_set.authors, author)))


def refused(rule_set: LivingRuleSet, refuser: str, reason: str) -> Step:
    """The rule set, a draft again.

    Raises:
        RuleSetStateError: it is not before anybody for approval.
        OwnDraftError: the refuser has a part in it.
    """
    _require_state(rule_set, "submitted", "refused")
    _require_second_person(rule_set, refuser, "refuse")
    return Step("refused", refuser, _next(rule_set, state="draft"), reason)


def approved(rule_set: LivingRuleSet, approver: str) -> Step:
    """The rule set, approved by somebody who has no part in it.

    Raises:
        RuleSetStateError: it is not before anybody for approval.
        OwnDraftError: the approver has a part in it.
    """
    _require_state(rule_set, "submitted", "approved")
    _require_second_person(rule_set, approver, "approve")
    return Step("approved", approver, _next(rule_set, state="approved", approved_by=approver))


def published(
    rule_set: LivingRuleSet,
    publisher: str,
    version: int,
    effective_from: datetime,
    others: Sequence[Publication],
    now: datetime,
) -> Step:
    """The rule set as ``version``, in force from a time on. The first of all may reach back: nothing was judged before.

    Raises:
        RuleSetStateError: it is not approved, or published already.
        OwnDraftError: the publisher has a part in it.
        PublishedTooLateError: it would take effect less than ``NOTICE`` from now.
        EffectiveTimeTakenError: another version takes effect at that moment.
    """
    _require_state(rule_set, "approved", "published")
    _require_second_person(rule_set, publisher, "publish")
    earliest = now + NOTICE
    if others and effective_from < earliest:
        raise PublishedTooLateError(
            f"effective_from must be {earliest.isoformat()} or later: {NOTICE.seconds} seconds after publication"
        )
    for other in others:
        if other.effective_from == effective_from:
            raise EffectiveTimeTakenError(
                f"version {other.version} takes effect at that moment: choose another, or retire that one first"
            )
    return Step(
        "published",
        publisher,
        _next(rule_set, state="published", version=version, effective_from=effective_from),
    )


def retired(rule_set: LivingRuleSet, retirer: str, reason: str, others: Sequence[Publication], now: datetime) -> Step:
    """The rule set, withdrawn where it has not begun yet; else retired, and nothing brings it back.

    A retired version judges its own time on: receipts until its successor takes effect, and late ones of that time.
    ``others`` are all publications, this one too.

    Raises:
        RuleSetStateError: nobody has approved it yet, or it is retired or withdrawn already.
        OwnDraftError: the retirer has a part in it.
        PublishedTooLateError: it takes effect so soon that workers may judge by it.
        NoSuccessorError: nothing follows it; or the version before it is retired and needs it as its successor.
    """
    if rule_set.state not in ("approved", "published"):
        raise RuleSetStateError(f"the rule set is {rule_set.state}: only one that was approved can be retired, once")
    _require_second_person(rule_set, retirer, "retire")
    begins = rule_set.effective_from
    if begins is None:
        return Step("withdrawn", retirer, _next(rule_set, state="withdrawn"), reason)
    if begins <= now:
        if not any(other.effective_from > begins for other in others):
            raise NoSuccessorError("no version follows this one: publish its successor first")
        return Step("retired", retirer, _next(rule_set, state="retired"), reason)
    if begins < now + NOTICE:
        raise PublishedTooLateError(
            f"it takes effect in less than {NOTICE.seconds} seconds, and workers may judge by it: publish another one"
        )
    before = max((other for other in others if other.effective_from < begins), key=_begins, default=None)
    if before is not None and before.is_retired:
        raise NoSuccessorError(
            f"version {before.version} is retired and would be in force again: publish another successor and let this "
            "one take effect"
        )
    return Step("withdrawn", retirer, _next(rule_set, state="withdrawn"), reason)


def _begins(publication: Publication) -> datetime:
    return publication.effective_from


def _next(rule_set: LivingRuleSet, **changes: Any) -> LivingRuleSet:
    return replace(rule_set, revision=rule_set.revision + 1, **changes)


def _with(authors: tuple[str, ...], author: str) -> tuple[str, ...]:
    return authors if author in authors else (*authors, author)


def _require_state(rule_set: LivingRuleSet, state: RuleSetState, what: str) -> None:
    if rule_set.state != state:
        raise RuleSetStateError(f"the rule set is {rule_set.state}: only one that is {state} can be {what}")


def _require_second_person(rule_set: LivingRuleSet, who: str, what: str) -> None:
    if who in rule_set.authors:
        raise OwnDraftError(f"who wrote, changed or submitted a rule set may not {what} it: ask a second person")
