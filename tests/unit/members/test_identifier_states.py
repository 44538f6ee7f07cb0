"""What may happen to an identifier, state by state."""

from itertools import product
from typing import get_args

import pytest

from services.members.domain.errors import IdentifierStateError
from services.members.domain.identifier_states import TRANSITIONS, Action, next_state
from shared.events.members import IdentifierState

ENDS = {"link": "active", "block": "blocked", "unblock": "active", "report_lost": "lost", "replace": "replaced"}


@pytest.mark.parametrize(("state", "action"), list(product(get_args(IdentifierState), get_args(Action))))
def test_an_action_leads_on_stands_or_is_refused(state: IdentifierState, action: Action) -> None:
    if state == ENDS[action]:
        assert next_state(state, action) == state
    elif (state, action) in TRANSITIONS:
        assert next_state(state, action) == TRANSITIONS[state, action]
    else:
        with pytest.raises(IdentifierStateError, match=state):
            next_state(state, action)


@pytest.mark.parametrize("final", ["lost", "replaced"])
def test_nothing_leads_back_from_a_final_state(final: IdentifierState) -> None:
    ends = {end for (state, _), end in TRANSITIONS.items() if state == final}
    assert ends <= {final}
