"""The story of a member event as HTTP tells it, in words too."""

from collections.abc import Iterator

from services.accrual.api.answers import earned_part_answer, part_answer, trace_of
from services.accrual.domain.member_event_types import MemberEventType
from services.accrual.domain.member_events import MemberEvent
from services.accrual.domain.point_words import in_points
from services.accrual.schemas.member_events import EventAwardAnswer, EventPreviewAnswer, MemberEventAnswer
from services.accrual.use_cases.preview_member_event import PreviewedEvent
from services.accrual.use_cases.show_member_event import EventStory, RulesStory

_REFUSED = {
    "limit_reached": "the member has had as many of these in the period as give points",
    "not_in_force": "the type did not count then",
    "too_late": "it was told too late",
    "member_closed": "the member has left the programme",
    "member_erased": "the member's data were erased",
    "no_rules_in_force": "no rule set was in force when it happened",
    "implausible_points": "the rules would have given more than anybody could mean",
    "undecidable": "the rules could not be applied to it",
}


def event_story_answer(story: EventStory, currency: str) -> MemberEventAnswer:
    """The whole story of an event."""
    event = story.event
    if story.by_rules is None:
        words = list(_of_type(event, story.kind))
        award = None
    else:
        award, words = _of_rules(story.by_rules, currency)
    return MemberEventAnswer.of(event, award, [*words, *_what_became(event)])


def event_preview_answer(previewed: PreviewedEvent, currency: str) -> EventPreviewAnswer:
    """What an event would give."""
    event, awarded = previewed.event, previewed.awarded
    if awarded is None:
        trace, words = None, list(_of_type(event, previewed.kind))
    else:
        trace, words = trace_of(awarded.evaluation, awarded.evaluation.rule_set, currency)
    return EventPreviewAnswer(
        state=event.state,
        refused_because=event.refusal,
        was_told=previewed.was_told,
        point_type=event.point_type,
        points=event.points,
        rule_set_version=None if awarded is None else awarded.evaluation.rule_set_version,
        parts=[] if awarded is None else [earned_part_answer(part, event.point_type) for part in awarded.parts],
        trace=trace,
        trace_in_words=[*words, *_what_became(event)],
    )


def _of_type(event: MemberEvent, kind: MemberEventType | None) -> Iterator[str]:
    """What its type gave by itself."""
    if event.state == "refused" or event.available_from is None or kind is None:
        return
    if event.payload or not kind.payload.required:  # of an erased person nothing is left to count
        yield kind.in_words(dict(event.payload))
    yield f"In all: {in_points(event.points)}."


def _of_rules(story: RulesStory, currency: str) -> tuple[EventAwardAnswer, list[str]]:
    if story.evaluation is not None:
        trace, words = trace_of(story.evaluation, story.rule_set, currency)
    else:
        names = {rule.id: rule.name for rule in story.rule_set.rules}
        trace, words = None, [f"“{names[rule_id]}” gave {points}." for rule_id, points in story.decision.applied]
    version = story.award.rule_set_version
    return EventAwardAnswer(
        rule_set_version=version, parts=[part_answer(part) for part in story.parts], trace=trace
    ), words


def _what_became(event: MemberEvent) -> Iterator[str]:
    if event.refusal is not None:
        yield f"Nothing: {_REFUSED[event.refusal]}."
    if event.state == "revoked":
        taken = in_points(event.points - event.clipped)
        clipped = f" {event.clipped} more were not there, and nobody owes them." if event.clipped else ""
        yield (f"Undone ({event.revoke_reason}): {taken} taken back, {event.became_debt} of them owed.{clipped}")
