"""Two members become one: what is sealed of the one that goes is sealed anew under the survivor's key, or filled in."""

from dataclasses import replace
from uuid import UUID

from services.members.domain.data_quality import filled_fields, restated_fields
from services.members.domain.duplicates import is_compared_equal
from services.members.domain.merging import MergeRequest, joined_person
from services.members.domain.registry import Person
from services.members.domain.sealed import SealedPerson
from services.members.repository import data_quality, duplicates, merging, persons
from services.members.sealing import attributes as sealed_attributes
from services.members.sealing.identifiers import reseal_value
from services.members.sealing.master_keys import MasterKeys
from services.members.sealing.member_keys import MemberKey
from services.members.sealing.persons import open_person, seal_person
from shared.database import Transaction


async def join_sealed(transaction: Transaction, request: MergeRequest, master_keys: MasterKeys) -> Person | None:
    """Join persons and attributes of two members who are locked; the person who stays comes back.

    Afterwards nothing is under the key of the one that goes, and the key is gone.
    """
    own_key, own = await _open(transaction, request.survivor_id, master_keys)
    other_key, other = await _open(transaction, request.merged_id, master_keys)
    key = own_key or MemberKey.new(request.survivor_id)
    person = joined_person(own, other)
    if person is not None and person != own:
        sealed = SealedPerson(master_keys.wrap(key), seal_person(key, person))
        await merging.save_person(transaction, request.survivor_id, sealed)
        filled, restated = filled_fields(person), restated_fields(own, person)
        await data_quality.note_person(transaction, request.survivor_id, filled, restated)
        if not is_compared_equal(own, person):
            await duplicates.await_comparison(transaction, request.survivor_id)
    if other_key is not None:
        await _reseal_attributes(transaction, request, other_key, key)
        values = await merging.load_sealed_values(transaction, request.merged_id)
        await merging.save_sealed_values(
            transaction, {each: reseal_value(other_key, key, sealed) for each, sealed in values.items()}
        )
    await merging.move_attributes(transaction, request)
    await merging.forget_person(transaction, request)
    await duplicates.settle_merged(transaction, merged_id=request.merged_id, survivor_id=request.survivor_id)
    return person


async def _open(
    transaction: Transaction, member_id: UUID, master_keys: MasterKeys
) -> tuple[MemberKey | None, Person | None]:
    """The member's key, and the person under it: a card that joined first has the one without the other."""
    wrapped = await persons.find_key(transaction, member_id)
    if wrapped is None:
        return None, None
    key = master_keys.unwrap(wrapped, member_id)
    sealed = await persons.find_sealed(transaction, member_id)
    return key, None if sealed is None else open_person(key, sealed)


async def _reseal_attributes(
    transaction: Transaction, request: MergeRequest, other_key: MemberKey, key: MemberKey
) -> None:
    resealed = []
    for attribute, entry in await merging.load_sealed_attributes(transaction, request.merged_id):
        opened = sealed_attributes.read(attribute, entry, other_key)
        resealed.append(sealed_attributes.stored(attribute, replace(opened, member_id=request.survivor_id), key))
    await merging.save_sealed_attributes(transaction, resealed)
