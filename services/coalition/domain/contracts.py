"""A partner's contract: what issued points cost it, what redeemed ones bring it, and how far it may go. Pure.

A partner's contracts are numbered; approved ones never overlap in time, so that at most one is in force at any moment.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, TypeAlias
from uuid import UUID

from services.coalition.domain.errors import (
    ContractOverlapsError,
    ContractStateError,
    CurrencyDiffersError,
    ExclusivityClashError,
    OwnDraftError,
    PublishedTooLateError,
)
from services.coalition.domain.registry import FIRST_VERSION

# Whoever judges by contracts reads of them from a topic: this long is what that may take.
PUBLISHED_AHEAD = timedelta(seconds=60)

SettleOn: TypeAlias = Literal["issue", "redemption"]
FundingKind: TypeAlias = Literal["prepaid", "postpaid"]
WhenExhausted: TypeAlias = Literal["refuse", "reserve"]
ContractState: TypeAlias = Literal["draft", "submitted", "approved"]
ContractPhase: TypeAlias = Literal["draft", "submitted", "approved", "active", "ended"]


@dataclass(frozen=True, slots=True)
class Rate:
    """Prices of one point of a type, in major units of the contract's currency and without VAT, to six places.

    ``settle_on`` says when an issued point is paid for. A redemption takes ``minimum_points`` or more, in whole steps
    of ``step_points``.
    """

    point_type: str
    issue_price: Decimal
    redemption_price: Decimal
    vat_percent: Decimal
    settle_on: SettleOn
    minimum_points: int
    step_points: int


@dataclass(frozen=True, slots=True)
class Exclusivity:
    """No other partner may have the same category in this territory (ISO 3166: ``US`` holds ``US-NY``)."""

    category: str
    territory: str

    def clashes_with(self, other: "Exclusivity") -> bool:
        """Whether both promise the same: one category, and a territory within the other."""
        mine, theirs = f"{self.territory}-", f"{other.territory}-"
        return self.category == other.category and (mine.startswith(theirs) or theirs.startswith(mine))


@dataclass(frozen=True, slots=True)
class Funding:
    """How points are paid for: from a prepaid block, or later up to a credit limit; ``amount_minor`` is either.

    An alert goes out when what is left falls to ``alert_percents`` of the amount. With nothing left the partner is
    refused, or goes on until it owes ``reserve_minor`` more.
    """

    kind: FundingKind
    amount_minor: int
    alert_percents: tuple[int, ...]
    when_exhausted: WhenExhausted
    reserve_minor: int


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed. In force from ``effective_from`` until just before ``effective_until``, or until it is ended."""

    effective_from: datetime
    effective_until: datetime | None
    currency: str
    rates: tuple[Rate, ...]
    funding: Funding
    exclusivities: tuple[Exclusivity, ...]

    def is_in_force(self, at: datetime) -> bool:
        """Whether these terms hold at a moment."""
        return self.effective_from <= at and (self.effective_until is None or at < self.effective_until)

    def overlaps(self, other: "Terms") -> bool:
        """Whether there is a moment at which both hold."""
        begins = max(self.effective_from, other.effective_from)
        ends = [until for until in (self.effective_until, other.effective_until) if until is not None]
        return not ends or begins < min(ends)


@dataclass(frozen=True, slots=True)
class Contract:
    """One contract and how far it has come. ``authors`` wrote, changed or submitted it: none of them may approve it."""

    contract_id: UUID
    partner_id: str
    number: int
    terms: Terms
    state: ContractState
    authors: tuple[str, ...]
    version: int
    approved_by: str | None = None
    approved_at: datetime | None = None
    ended_by: str | None = None

    def phase(self, now: datetime) -> ContractPhase:
        """Its state for people: an approved one becomes active by its date, and ended by its end."""
        if self.state != "approved":
            return self.state
        if self.terms.effective_until is not None and self.terms.effective_until <= now:
            return "ended"
        return "active" if self.terms.effective_from <= now else "approved"


def first_contract(contract_id: UUID, partner_id: str, number: int, terms: Terms, author: str) -> Contract:
    """A new draft."""
    return Contract(contract_id, partner_id, number, terms, "draft", (author,), FIRST_VERSION)


def changed(contract: Contract, terms: Terms, author: str) -> Contract:
    """The draft with other terms.

    Raises:
        ContractStateError: it is no draft any more.
    """
    _require_state(contract, "draft", "changed: write a new one")
    return replace(contract, terms=terms, authors=_with(contract.authors, author), version=contract.version + 1)


def submitted(contract: Contract, author: str) -> Contract:
    """The draft, put before a second person.

    Raises:
        ContractStateError: it is no draft any more.
    """
    _require_state(contract, "draft", "submitted")
    return replace(contract, state="submitted", authors=_with(contract.authors, author), version=contract.version + 1)


def approved(contract: Contract, approver: str, others: Sequence[Contract], now: datetime) -> Contract:
    """The contract, approved by somebody who has no part in it. ``others`` are all approved ones, of every partner.

    Raises:
        ContractStateError: it is not before anybody for approval.
        OwnDraftError: the approver wrote, changed or submitted it.
        PublishedTooLateError: it takes effect sooner than the others can have read of it.
        CurrencyDiffersError: the partner has a contract in another currency, and its exposure has one.
        ContractOverlapsError, ExclusivityClashError: the other contract is named.
    """
    _require_state(contract, "submitted", "approved")
    if approver in contract.authors:
        raise OwnDraftError("who wrote, changed or submitted a contract may not approve it: ask a second person")
    if contract.terms.effective_from < now + PUBLISHED_AHEAD:
        raise PublishedTooLateError(
            f"a contract is approved at least {PUBLISHED_AHEAD.seconds} s before effective_from: write one that "
            "begins later"
        )
    for other in others:
        if other.partner_id == contract.partner_id:
            _require_one_after_the_other(contract, other)
        elif contract.terms.overlaps(other.terms):
            _require_no_clash(contract, other)
    return replace(contract, state="approved", approved_by=approver, approved_at=now, version=contract.version + 1)


def ended(contract: Contract, ender: str, ends_at: datetime, now: datetime) -> Contract:
    """The contract with an earlier end. One that has not begun by then never takes effect.

    Raises:
        ContractStateError: it is not approved, or ends by then anyway.
        OwnDraftError: the ender wrote, changed or submitted it.
        PublishedTooLateError: the end is sooner than the others can have read of it.
    """
    _require_state(contract, "approved", "ended")
    if ender in contract.authors:
        raise OwnDraftError("who wrote, changed or submitted a contract may not end it: ask a second person")
    if ends_at < now + PUBLISHED_AHEAD:
        raise PublishedTooLateError(
            f"a contract ends at least {PUBLISHED_AHEAD.seconds} s from now: choose a later end"
        )
    terms = contract.terms
    if terms.effective_until is not None and terms.effective_until <= ends_at:
        raise ContractStateError(f"the contract ends at {terms.effective_until.isoformat()} already")
    shortened = replace(terms, effective_until=max(ends_at, terms.effective_from))
    return replace(contract, terms=shortened, ended_by=ender, version=contract.version + 1)


def in_force(contracts: Iterable[Contract], at: datetime) -> Contract | None:
    """The one of a partner's approved contracts that holds at a moment."""
    return next((contract for contract in contracts if contract.terms.is_in_force(at)), None)


def _with(authors: tuple[str, ...], author: str) -> tuple[str, ...]:
    return authors if author in authors else (*authors, author)


def _require_state(contract: Contract, state: ContractState, what: str) -> None:
    if contract.state != state:
        raise ContractStateError(f"the contract is {contract.state}: only one that is {state} can be {what}")


def _require_one_after_the_other(contract: Contract, other: Contract) -> None:
    if other.terms.currency != contract.terms.currency:
        raise CurrencyDiffersError(f"the partner's contract {other.number} is in {other.terms.currency}: use that")
    if contract.terms.overlaps(other.terms):
        raise ContractOverlapsError(
            f"the partner's contract {other.number} holds from {other.terms.effective_from.isoformat()} "
            f"{_until(other.terms)}: begin after it, or end it first"
        )


def _require_no_clash(contract: Contract, other: Contract) -> None:
    for mine in contract.terms.exclusivities:
        for theirs in other.terms.exclusivities:
            if mine.clashes_with(theirs):
                raise ExclusivityClashError(
                    f"partner {other.partner_id} has {theirs.category} in {theirs.territory} for itself by its "
                    f"contract {other.number} {_until(other.terms)}: it clashes with {mine.category} in "
                    f"{mine.territory}"
                )


def _until(terms: Terms) -> str:
    return f"until {terms.effective_until.isoformat()}" if terms.effective_until is not None else "without an end"
