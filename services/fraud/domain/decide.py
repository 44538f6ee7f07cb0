"""The decision: ``(receipt, state, rule set) → (next state, effects)``, pure.

Live, replay and tests run this one file. Features are point-in-time: a receipt is judged by itself and those before
it in event order. A receipt that comes late takes its place in that order, and the receipts after it that it can
concern are judged again: what a till uploads in the wrong order raises at least the signals of the right order. A
decision can only be raised so, never lowered: what was asked for on good grounds is a person's to take back.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from services.fraud.domain.member_state import MemberState, OpenCase
from services.fraud.domain.outcomes import (
    ACTIONS_BY_WEIGHT,
    Action,
    Decision,
    Effects,
    Finding,
    Hold,
    NewCase,
    Outcome,
    Result,
    Signal,
)
from services.fraud.domain.receipts import Receipt, ReceiptFact
from services.fraud.domain.rule_set import RuleSet
from services.fraud.domain.rules import Rule


class _Judged(NamedTuple):
    """One receipt with every rule's finding on it."""

    receipt: Receipt
    findings: tuple[tuple[Rule, Finding], ...]

    def hits(self) -> list[tuple[Rule, Finding]]:
        """The findings that raise a signal now: a rule fires once on a receipt."""
        return [
            (rule, finding)
            for rule, finding in self.findings
            if finding.result is Result.HIT and rule.code not in self.receipt.fired
        ]


def decide_all(
    facts: Iterable[ReceiptFact], states: Mapping[UUID, MemberState], rule_set: RuleSet
) -> tuple[dict[UUID, MemberState], Effects]:
    """Decide distinct receipts that were never decided before, in the given order.

    Members do not see each other: any interleaving of two members' receipts gives each the same state and effects,
    and deciding a stretch of receipts in pieces gives the same as deciding it whole. A member without a state has an
    empty one.
    """
    after: dict[UUID, MemberState] = dict(states)
    decisions: list[Decision] = []
    raised: list[Decision] = []
    cases: list[NewCase] = []
    signals: list[Signal] = []
    holds: list[Hold] = []
    for fact in facts:
        after[fact.member_id], effects = decide(fact, after.get(fact.member_id, MemberState()), rule_set)
        decisions += effects.decisions
        raised += effects.raised
        cases += effects.cases
        signals += effects.signals
        holds += effects.holds
    return after, Effects(decisions, raised, cases, signals, holds)


def decide(fact: ReceiptFact, state: MemberState, rule_set: RuleSet) -> tuple[MemberState, Effects]:
    """Decide one receipt, which must not have been decided before."""
    receipt = fact.receipt
    position = state.position_of(receipt)
    state = state.with_receipt(receipt, position)
    judged = _judge(state, position, rule_set)
    later = _judge_later(state, position, rule_set)
    if not state.cases_of(receipt) and not later and not judged.hits():
        key = receipt.receipt_key
        decision = Decision(fact.member_id, key, Action.NONE, _outcomes(judged.findings), key, receipt.moves)
        return state.trimmed(), Effects(decisions=(decision,))
    acting = _Acting(fact, state)
    for one in (judged, *later):
        acting.act_on(one)
    acting.join_open_case()
    return acting.state.trimmed(), acting.effects(judged, later)


def _judge(state: MemberState, position: int, rule_set: RuleSet) -> _Judged:
    receipt = state.receipts[position]
    is_too_late = state.is_too_late(receipt)
    findings = []
    for rule in rule_set.rules:
        if not rule.judges(receipt):
            continue
        finding = rule.evaluate(state.receipts, position)
        if is_too_late and finding.result is Result.NO_HIT:
            finding = finding._replace(result=Result.INSUFFICIENT)
        findings.append((rule, finding))
    return _Judged(receipt, tuple(findings))


def _judge_later(state: MemberState, position: int, rule_set: RuleSet) -> list[_Judged]:
    """The receipts after this one that it makes a hit of."""
    late = state.receipts[position]
    judged_again = []
    for index in range(position + 1, len(state.receipts)):
        receipt = state.receipts[index]
        if any(rule.code not in receipt.fired and rule.concerns(late, receipt) for rule in rule_set.rules):
            judged = _judge(state, index, rule_set)
            if judged.hits():
                judged_again.append(judged)
    return judged_again


def _outcomes(findings: Iterable[tuple[Rule, Finding]]) -> tuple[Outcome, ...]:
    return tuple(Outcome(rule.code, finding.result, finding.observed) for rule, finding in findings)


class _Acting:
    """Turns hits into signals, cases and holds; lives for one receipt."""

    def __init__(self, fact: ReceiptFact, state: MemberState) -> None:
        self.state = state
        self._member_id = fact.member_id
        self._receipt = fact.receipt
        self._caused_by = fact.receipt.receipt_key
        self._cases: list[NewCase] = []
        self._signals: list[Signal] = []
        self._holds: list[Hold] = []

    def act_on(self, judged: _Judged) -> None:
        """Signal each hit; a rule that holds also takes its evidence into the pair's case."""
        for rule, finding in judged.hits():
            opened_by = None
            if rule.action is Action.HOLD:
                opened_by = self._take_into_case(judged.receipt, rule, finding.evidence)
            check = rule.checks()[finding.telling]
            observed = finding.observed[finding.telling]
            self._signals.append(
                Signal(
                    self._member_id,
                    judged.receipt,
                    rule.code,
                    rule.action,
                    observed,
                    check.threshold,
                    check.window,
                    opened_by,
                    self._caused_by,
                )
            )
            self.state = self.state.with_fired(judged.receipt.receipt_key, rule.code)

    def join_open_case(self) -> None:
        """While a case is open, every further receipt of the pair, or claim of the member, belongs to it."""
        for case in self.state.cases_of(self._receipt):
            self._hold(case, (self._receipt.receipt_key,))

    def effects(self, judged: _Judged, later: Sequence[_Judged]) -> Effects:
        """What it came to. A receipt that only joined a case was no hit, and is held all the same."""
        actions = {rule.action for rule, _ in judged.hits()}
        if any(hold.receipt.receipt_key == self._receipt.receipt_key for hold in self._holds):
            actions.add(Action.HOLD)
        key = self._receipt.receipt_key
        outcomes = _outcomes(judged.findings)
        decision = Decision(self._member_id, key, _weightiest(actions), outcomes, key, self._receipt.moves)
        raised = tuple(
            Decision(
                self._member_id,
                one.receipt.receipt_key,
                _weightiest({rule.action for rule, _ in one.hits()}),
                _outcomes(one.hits()),
                key,
                one.receipt.moves,
            )
            for one in later
        )
        return Effects((decision,), raised, tuple(self._cases), tuple(self._signals), tuple(self._holds))

    def _take_into_case(self, receipt: Receipt, rule: Rule, evidence: tuple[bytes, ...]) -> bytes:
        """Hold the evidence under the subject's open case, or under a new one; which case it was.

        The receipts of the same subject after the one that was hit join at once. There are some when it came, or was
        made a hit, out of order: in order they would have met the case open.
        """
        subject = rule.subject_of(receipt)
        if subject is None:
            raise ValueError(f"{rule.code} holds a receipt that names no operator: nobody is left to look at")
        case = self.state.case_of(subject)
        if case is None:
            case = OpenCase(receipt.receipt_key, subject, rule.code, 0)
            opened = NewCase(receipt.receipt_key, self._member_id, subject, rule.code, self._caused_by, receipt.moves)
            self._cases.append(opened)
        after = self.state.receipts[self.state.position_of(receipt) + 1 :]
        evidence += tuple(later.receipt_key for later in after if rule.subject_of(later) == subject)
        self._hold(case, evidence)
        return case.opened_by

    def _hold(self, case: OpenCase, evidence: tuple[bytes, ...]) -> None:
        fresh = self.state.not_held(evidence)
        self._holds += [
            Hold(self._member_id, receipt, case.opened_by, case.rule_code, self._caused_by) for receipt in fresh
        ]
        self.state = self.state.with_held(fresh).with_case(case._replace(receipts=case.receipts + len(fresh)))


def _weightiest(actions: set[Action]) -> Action:
    return next((action for action in ACTIONS_BY_WEIGHT if action in actions), Action.NONE)
