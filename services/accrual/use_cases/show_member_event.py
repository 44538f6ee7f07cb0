"""Tells the story of one member event: what it gave and why, what waits, what was taken back."""

from dataclasses import dataclass
from uuid import UUID

from services.accrual.domain.evaluation import Evaluation
from services.accrual.domain.event_awards import EventDecision, applied_rules, read_decision
from services.accrual.domain.judged_event import evaluate_event
from services.accrual.domain.member_event_types import MemberEventType
from services.accrual.domain.member_events import MemberEvent
from services.accrual.domain.rules import RuleSet
from services.accrual.programme import PublishedRules
from services.accrual.repository import award_parts, awards, member_event_types, member_events, outcomes
from services.accrual.repository.award_parts import StoredPart
from services.accrual.repository.outcomes import AwardStory
from services.accrual.use_cases.show_receipt import TraceMismatchError
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class RulesStory:
    """What rules made of an event. ``evaluation`` is derived again from what it said and the frozen version; it is
    None once what it said was forgotten with the person.
    """

    award: AwardStory
    decision: EventDecision
    rule_set: RuleSet
    parts: tuple[StoredPart, ...]
    evaluation: Evaluation | None


@dataclass(frozen=True, slots=True)
class EventStory:
    """All that is known of one event. ``by_rules`` where rules decided; else ``kind`` says what its type gave."""

    event: MemberEvent
    kind: MemberEventType | None
    by_rules: RulesStory | None


async def show_member_event(transaction: Transaction, event_id: UUID, rules: PublishedRules) -> EventStory | None:
    """The story of an event; None where there is none.

    Raises:
        TraceMismatchError: the derived trace differs from the stored decision; someone must look at it.
    """
    event = await member_events.find(transaction, event_id)
    if event is None:
        return None
    versions = await member_event_types.load_versions(transaction, event.type_code)
    kind = next((version for version in versions if version.version == event.type_version), None)
    award = await outcomes.find_award(transaction, event.award)
    if award is None:
        return EventStory(event, kind, None)
    await rules.refresh(transaction)
    rule_set = rules.history.of_event(award.rule_set_version, event.type_code)
    decision = read_decision(await awards.load_decision(transaction, event.award))
    parts = (await award_parts.load(transaction, [event.award])).get(event.award, ())
    evaluation = None
    if event.payload or not decision.said_something:
        facts = decision.facts_for(rule_set)
        evaluation = evaluate_event(event.type_code, event.payload, event.occurred_at, rule_set, facts)
        if applied_rules(evaluation) != decision.applied:
            raise TraceMismatchError(f"derived {applied_rules(evaluation)}, stored {decision.applied}")
    return EventStory(event, kind, RulesStory(award, decision, rule_set, parts, evaluation))
