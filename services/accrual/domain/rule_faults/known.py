"""What is known of the world that rules speak of: partners, stores, categories."""

from collections.abc import Mapping
from datetime import date
from typing import Literal, NamedTuple

from services.accrual.domain.member_event_types import MemberEventDraft
from services.accrual.domain.tiers.scheme import TierSchemeDraft


class KnownAttribute(NamedTuple):
    """An attribute whose values the registry tells: its type, and of a choice what may be chosen."""

    value_type: Literal["number", "boolean", "date", "choice"]
    choices: frozenset[str] = frozenset()


class Known(NamedTuple):
    """What a document's names are held against.

    ``partners`` are all that are known here, and of ``stores`` those that the document names. ``categories`` are, of
    each partner that has mapped its own, every category that its mappings name; ``above`` says what a category lies
    below. ``segments`` and ``attributes`` are all that are declared. A document may not take effect before
    ``earliest``; None where it may reach back. ``own_type`` is the programme's own point type, ``other_types`` are
    those beside it. ``event_types`` are the types of member events, each as its newest approved version says.
    ``promised`` is the tier scheme that takes effect last, so that rules of any time meet it.
    """

    partners: frozenset[str] = frozenset()
    stores: frozenset[tuple[str, str]] = frozenset()
    categories: Mapping[str, frozenset[str]] = {}
    above: Mapping[str, frozenset[str]] = {}
    earliest: date | None = None
    segments: frozenset[str] = frozenset()
    attributes: Mapping[str, KnownAttribute] = {}
    own_type: str = "points"
    other_types: frozenset[str] = frozenset()
    event_types: Mapping[str, MemberEventDraft] = {}
    promised: TierSchemeDraft | None = None
