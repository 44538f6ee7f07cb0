"""What HTTP says of the differences between two rule sets."""

from collections.abc import Iterable
from typing import Any, Literal, Self
from uuid import UUID

from shared.rule_sets.answers import RuleSetModel
from shared.rule_sets.diff import RuleSetDiff
from shared.rule_sets.document_diff import Change, ChangedPart, PartDiff
from shared.rule_sets.records import StoredRuleSet


class ComparedAnswer(RuleSetModel):
    """Which rule set is compared, and the version that it was published as."""

    rule_set_id: UUID
    version: int | None

    @classmethod
    def of(cls, stored: StoredRuleSet) -> Self:
        """The answer for a rule set."""
        return cls(rule_set_id=stored.rule_set.rule_set_id, version=stored.rule_set.version)


class DifferenceAnswer(RuleSetModel):
    """One difference. ``pointer`` (RFC 6901) is its place in the new document, in the old one for what was removed."""

    op: Literal["added", "removed", "changed"]
    pointer: str
    old: Any
    new: Any

    @classmethod
    def all_of(cls, changes: Iterable[Change]) -> list[Self]:
        """The answers for differences."""
        return [cls(**change._asdict()) for change in changes]


class ChangedRuleAnswer(RuleSetModel):
    """A rule that both have, where it stands in each, and what changed in it."""

    rule_id: str
    old_pointer: str
    new_pointer: str
    changes: list[DifferenceAnswer]

    @classmethod
    def of(cls, part: ChangedPart) -> Self:
        """The answer for a changed rule."""
        return cls(
            rule_id=part.id,
            old_pointer=part.old_pointer,
            new_pointer=part.new_pointer,
            changes=DifferenceAnswer.all_of(part.changes),
        )


class RulesDiffAnswer(RuleSetModel):
    """What became of the rules. ``is_reordered``: those that both have stand in another order."""

    added: list[DifferenceAnswer]
    removed: list[DifferenceAnswer]
    changed: list[ChangedRuleAnswer]
    is_reordered: bool

    @classmethod
    def of(cls, parts: PartDiff) -> Self:
        """The answer for the rules of two rule sets."""
        return cls(
            added=DifferenceAnswer.all_of(parts.added),
            removed=DifferenceAnswer.all_of(parts.removed),
            changed=[ChangedRuleAnswer.of(part) for part in parts.changed],
            is_reordered=parts.is_reordered,
        )


class RuleSetDiffAnswer(RuleSetModel):
    """What a rule set changes against another one; against none, everything is added."""

    rule_set: ComparedAnswer
    against: ComparedAnswer | None
    rules: RulesDiffAnswer
    elsewhere: list[DifferenceAnswer]

    @classmethod
    def of(cls, new: StoredRuleSet, old: StoredRuleSet | None, diff: RuleSetDiff) -> Self:
        """The answer for two rule sets and what differs."""
        return cls(
            rule_set=ComparedAnswer.of(new),
            against=None if old is None else ComparedAnswer.of(old),
            rules=RulesDiffAnswer.of(diff.rules),
            elsewhere=DifferenceAnswer.all_of(diff.elsewhere),
        )
