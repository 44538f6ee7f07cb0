"""What may happen to an identifier: one table of states and actions.

``issued`` is a card that was printed or made for somebody, and is nobody's yet; it has no row until it is linked.
``lost`` and ``replaced`` are final: a card that turns up again is not put back into use.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from services.members.domain.errors import IdentifierStateError
from shared.events.members import IdentifierState

Action: TypeAlias = Literal["link", "block", "unblock", "report_lost", "replace"]
# What a history tells: a merge of members changes whose an identifier is, and not its state.
Happening: TypeAlias = Action | Literal["merge"]

# What is not here is refused; an action whose end is the present state changes nothing (see ``next_state``).
TRANSITIONS: Mapping[tuple[IdentifierState, Action], IdentifierState] = {
    ("issued", "link"): "active",
    ("active", "block"): "blocked",
    ("active", "report_lost"): "lost",
    ("active", "replace"): "replaced",
    ("blocked", "unblock"): "active",
    ("blocked", "report_lost"): "lost",
    ("blocked", "replace"): "replaced",
    ("lost", "replace"): "lost",  # the new card is linked; the old one stays what it is
}

_ENDS: Mapping[Action, IdentifierState] = {
    "link": "active",
    "block": "blocked",
    "unblock": "active",
    "report_lost": "lost",
    "replace": "replaced",
}


@dataclass(frozen=True, slots=True)
class Statement:
    """Who says that something happened to an identifier, and why: a code of the programme, never free text."""

    reason_code: str
    author: str


def next_state(state: IdentifierState, action: Action) -> IdentifierState:
    """The state after an action; the same one where it is so already.

    Raises:
        IdentifierStateError: not from this state.
    """
    if state == _ENDS[action]:
        return state
    following = TRANSITIONS.get((state, action))
    if following is None:
        raise IdentifierStateError(state, action)
    return following
