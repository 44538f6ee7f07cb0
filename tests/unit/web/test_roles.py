"""People's roles: what they may do, and what nobody may do by a role."""

from typing import get_args

import pytest

from services.coalition.domain.scopes import PROGRAMME_ONLY, SCOPES
from shared.roles import PARTNER_ROLE, ROLES, SCOPES_OF_ROLE, Role, is_binding_right, scopes_of
from shared.web import Principal

# With one of these, one person could be two: the one who drafts and the one who approves.
SECOND_SELF = {"clients:write", "people:write"}


def test_every_role_has_scopes_that_there_are() -> None:
    assert set(SCOPES_OF_ROLE) == ROLES == set(get_args(Role))
    for role, scopes in SCOPES_OF_ROLE.items():
        assert scopes, role
        assert scopes <= SCOPES, role


def test_no_role_makes_clients_or_people() -> None:
    assert scopes_of(ROLES) & SECOND_SELF == set()


def test_a_partners_user_gets_nothing_that_is_the_programmes() -> None:
    assert SCOPES_OF_ROLE[PARTNER_ROLE] & PROGRAMME_ONLY == set()


def test_who_drafts_does_not_approve() -> None:
    drafting, approving = SCOPES_OF_ROLE["programme_manager"], SCOPES_OF_ROLE["approver"]
    assert "contracts:write" in drafting - approving
    assert "contracts:approve" in approving - drafting


def test_roles_add_up_and_unknown_ones_give_nothing() -> None:
    assert scopes_of(["finance", "emperor"]) == SCOPES_OF_ROLE["finance"]
    assert scopes_of(["finance", "support"]) == SCOPES_OF_ROLE["finance"] | SCOPES_OF_ROLE["support"]
    assert scopes_of([]) == set()


@pytest.mark.parametrize(
    ("roles", "partner_id", "is_right"),
    [
        (["partner_user"], "acme", True),
        (["partner_user"], None, False),
        (["support"], None, True),
        (["support"], "acme", False),
        (["partner_user", "support"], "acme", False),
        ([], "acme", False),
    ],
)
def test_roles_and_binding_go_together(roles: list[str], partner_id: str | None, is_right: bool) -> None:
    assert is_binding_right(roles, partner_id) is is_right


def test_a_person_is_neither_a_client_nor_a_till() -> None:
    assert Principal("person:p7", None, frozenset()).subject == "p7"
    assert Principal("p7", None, frozenset()).subject is None
