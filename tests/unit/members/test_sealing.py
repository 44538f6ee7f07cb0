"""A key a member, wrapped by a master key: what opens, and what does not."""

from datetime import date
from uuid import UUID

import pytest

from services.members.domain.registry import Address, Person
from services.members.domain.sealed import WrappedKey
from services.members.sealing.master_keys import InvalidMasterKeysError, MasterKeyMissingError, MasterKeys
from services.members.sealing.member_keys import MemberKey, SealBrokenError
from services.members.sealing.persons import open_person, seal_person

ADA, BEN = UUID(int=1), UUID(int=2)
FIRST, SECOND = "1:" + "11" * 32, "2:" + "22" * 32
PERSON = Person(
    given_name="Ada",
    family_name="Lovelace",
    email="ada@example.com",
    phone="+12125550142",
    birth_date=date(1990, 12, 10),
    address=Address(("12 St James's Square",), "London", "GB", "SW1Y 4JH"),
)


def test_a_person_comes_back_as_it_was() -> None:
    keys = MasterKeys.parse(FIRST)
    key = MemberKey.new(ADA)
    again = keys.unwrap(keys.wrap(key), ADA)
    assert open_person(again, seal_person(key, PERSON)) == PERSON
    least = Person("Ada", "Lovelace", "ada@example.com")
    assert open_person(again, seal_person(key, least)) == least


def test_nothing_readable_stays_and_no_two_seals_are_alike() -> None:
    key = MemberKey.new(ADA)
    sealed = seal_person(key, PERSON)
    assert b"Ada" not in sealed
    assert b"1990" not in sealed
    assert sealed != seal_person(key, PERSON)
    assert MemberKey.new(ADA).secret != key.secret


def test_what_is_sealed_for_one_member_does_not_open_for_another() -> None:
    key = MemberKey.new(ADA)
    with pytest.raises(SealBrokenError):
        open_person(MemberKey(BEN, key.secret), seal_person(key, PERSON))
    with pytest.raises(SealBrokenError):
        open_person(MemberKey.new(ADA), seal_person(key, PERSON))


def test_what_is_sealed_as_one_thing_does_not_open_as_another() -> None:
    key = MemberKey.new(ADA)
    with pytest.raises(SealBrokenError):
        open_person(key, key.seal("attributes", b'{"given_name":"Eve"}'))


@pytest.mark.parametrize("place", [0, 12, -1])
def test_one_altered_bit_opens_nothing(place: int) -> None:
    key = MemberKey.new(ADA)
    sealed = bytearray(seal_person(key, PERSON))
    sealed[place] ^= 1
    with pytest.raises(SealBrokenError):
        open_person(key, bytes(sealed))
    with pytest.raises(SealBrokenError):
        open_person(key, b"")


def test_a_wrapped_key_opens_for_its_member_and_its_master_key_alone() -> None:
    keys = MasterKeys.parse(f"{FIRST},{SECOND}")
    wrapped = keys.wrap(MemberKey.new(ADA))
    with pytest.raises(SealBrokenError):
        keys.unwrap(wrapped, BEN)
    with pytest.raises(SealBrokenError):
        keys.unwrap(WrappedKey("2", wrapped.wrapped), ADA)
    with pytest.raises(SealBrokenError):
        MasterKeys.parse("1:" + "33" * 32).unwrap(wrapped, ADA)
    with pytest.raises(MasterKeyMissingError, match="TESSERA_MASTER_KEYS"):
        MasterKeys.parse(SECOND).unwrap(wrapped, ADA)


def test_a_master_key_is_replaced_while_both_are_valid() -> None:
    key = MemberKey.new(ADA)
    before = MasterKeys.parse(f"{FIRST},{SECOND}").wrap(key)
    after = MasterKeys.parse(f"{SECOND},{FIRST}")
    assert (before.master_key_id, after.current_id) == ("1", "2")
    anew = after.wrap(after.unwrap(before, ADA))
    assert MasterKeys.parse(SECOND).unwrap(anew, ADA).secret == key.secret


@pytest.mark.parametrize("text", ["", "hunter2", "1:hunter2", f"{FIRST},{FIRST}", FIRST + "," + "1:" + "44" * 32, "1"])
def test_master_keys_that_cannot_be_read_are_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InvalidMasterKeysError) as refused:
        MasterKeys.parse(text)
    assert "hunter2" not in str(refused.value)


def test_no_representation_shows_a_person_or_a_key() -> None:
    keys, key = MasterKeys.parse(FIRST), MemberKey(ADA, b"k" * 32)
    shown = repr(keys) + repr(key) + repr(keys.wrap(key)) + repr(PERSON) + repr(PERSON.address)
    for hidden in ("1111", "kkk", "Ada", "London", "1990", "St James", "SW1Y", "\\x"):
        assert hidden not in shown
