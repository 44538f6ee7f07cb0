"""From values to hashes."""

import pytest
from pydantic import ValidationError

from services.members.domain.identities import Identities
from services.members.domain.registry import Person
from services.members.schemas.enrolment import EnrolmentBody
from services.members.schemas.registry import IdentifierBody
from shared.ids import IdentifierKey, IdentifierKeys, InvalidIdentifierError

IDENTITIES = Identities(IdentifierKeys(IdentifierKey(1, b"k" * 32)), "US")
BODY = {"given_name": "Ada", "family_name": "Lovelace", "email": "ada@example.com", "language": "en"}


def test_one_address_has_one_hash_whatever_its_letter_case() -> None:
    assert IDENTITIES.email_hashes("Ada@Example.com") == IDENTITIES.email_hashes("ada@example.com")
    assert IDENTITIES.email_hashes("ada@example.com") != IDENTITIES.email_hashes("ada@example.org")


def test_an_address_and_a_token_with_the_same_text_are_two() -> None:
    assert IDENTITIES.email_hashes("ada@example.com") != IDENTITIES.claim("token", "ada@example.com").hashes


def test_a_phone_is_read_in_the_programmes_country() -> None:
    assert IDENTITIES.claim("phone", "(212) 555-0142") == IDENTITIES.claim("phone", "+12125550142")
    assert IDENTITIES.phone("212 555 0142") == "+12125550142"
    with pytest.raises(InvalidIdentifierError):
        IDENTITIES.phone("12")


def test_a_fingerprint_depends_on_the_key() -> None:
    other = Identities(IdentifierKeys(IdentifierKey(1, b"l" * 32)), "US")
    assert IDENTITIES.fingerprint(b"x") == IDENTITIES.fingerprint(b"x")
    assert IDENTITIES.fingerprint(b"x") not in (other.fingerprint(b"x"), IDENTITIES.fingerprint(b"y"))


def test_no_representation_shows_a_person() -> None:
    body = EnrolmentBody.model_validate(BODY | {"identifiers": [{"type": "card", "value": "QX7700"}]})
    shown = repr(body) + repr(body.identifiers) + repr(Person("Ada", "Lovelace", "ada@example.com", "+12125550142"))
    for personal in ("Ada", "Lovelace", "ada@", "QX7700", "5550142"):
        assert personal not in shown


def test_an_address_is_kept_as_it_can_be_written_to() -> None:
    assert EnrolmentBody.model_validate(BODY | {"email": " Ada@EXAMPLE.com "}).email == "Ada@example.com"


@pytest.mark.parametrize("email", ["ada", "ada@", "@example.org", "ada@localhost", "a b@example.com", "x" * 300])
def test_what_is_no_address_is_refused_and_not_repeated(email: str) -> None:
    with pytest.raises(ValidationError) as refused:
        EnrolmentBody.model_validate(BODY | {"email": email})
    assert email not in str(refused.value)


def test_a_cashiers_number_is_no_identifier_of_a_member() -> None:
    with pytest.raises(ValidationError):
        IdentifierBody.model_validate({"type": "operator", "value": "7"})
