"""People of external issuers: whom the claims of their tokens make."""

from typing import Any

import pytest

from shared.roles import SCOPES_OF_ROLE
from shared.web import ExternalIssuer, Principal
from shared.web.trusted_issuers import OutsideIssuer
from tests.support.oidc_issuer import OidcIssuer

ISSUER = OidcIssuer("https://id.corp.example")


def principal(told: ExternalIssuer, **claims: Any) -> Principal:
    good = ISSUER.claims(**claims)
    return OutsideIssuer(told).principal(good, now_seconds=good["iat"] + 1)


def test_roles_are_the_settings_words_and_scopes_our_tables() -> None:
    person = principal(ISSUER.told(), groups=["loyalty-support", "loyalty-approvers", "approver", "else"])
    assert person.roles == {"support", "approver"}
    assert person.scopes == SCOPES_OF_ROLE["support"] | SCOPES_OF_ROLE["approver"]
    assert (person.client_id, person.subject) == ("person:corp:p7", "corp:p7")


def test_scopes_of_the_token_itself_give_nothing() -> None:
    person = principal(ISSUER.told(), groups=[], scope="clients:write", roles=["approver"], partner_id="acme")
    assert (person.scopes, person.roles, person.partner_id) == (frozenset(), frozenset(), None)


@pytest.mark.parametrize(
    ("path", "claims"),
    [
        ("https://corp.example/roles", {"https://corp.example/roles": ["loyalty-support"]}),
        (["realm_access", "roles"], {"realm_access": {"roles": ["loyalty-support"]}}),
        ("group", {"group": "loyalty-support"}),
    ],
)
def test_roles_are_found_where_the_settings_say(path: Any, claims: dict[str, Any]) -> None:
    assert principal(ISSUER.told(roles_claim=path), groups=None, **claims).roles == {"support"}


@pytest.mark.parametrize("claims", [{}, {"realm_access": "x"}, {"realm_access": {"else": []}}])
def test_where_nothing_is_found_nothing_is_given(claims: dict[str, Any]) -> None:
    assert principal(ISSUER.told(roles_claim=["realm_access", "roles"]), **claims).roles == frozenset()


def test_the_partner_is_the_claims() -> None:
    told = ISSUER.told(partner_claim=["org", "id"])
    person = principal(told, groups=["loyalty-partners"], org={"id": "acme"})
    assert (person.partner_id, person.scopes) == ("acme", SCOPES_OF_ROLE["partner_user"])
    assert person.sees("acme")
    assert not person.sees("other")


@pytest.mark.parametrize("subject", ["p7", "auth0|5f7c", "00u1a2b3", "AAAA-_bqFXNl", "a:b", "x" * 128])
def test_no_two_people_have_one_id(subject: str) -> None:
    ids = {principal(ISSUER.told(prefix=prefix), sub=subject).client_id for prefix in ("corp", "corp2")}
    assert ids == {f"person:corp:{subject}", f"person:corp2:{subject}"}
