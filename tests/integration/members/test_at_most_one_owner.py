"""Any sequence of linking, blocking, losing, replacing, merging and closing leaves an identifier one owner at most."""

from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.members.domain.errors import RegistryRefusalError
from services.members.domain.identifier_states import TRANSITIONS, Statement
from services.members.domain.merging import MergeRequest
from services.members.use_cases.change_identifier import change_identifier
from services.members.use_cases.change_status import StatusRequest, change_status
from services.members.use_cases.link_identifier import link_identifier
from services.members.use_cases.merge_members import merge_members
from services.members.use_cases.replace_identifier import replace_identifier
from shared.database import Database, Transaction
from shared.events.catalogue import MEMBERS
from shared.events.members import IdentifierLinked, IdentifierRevoked
from tests.support.enrolling import enrol_by_hand
from tests.support.outbox_rows import recorded_events
from tests.support.registries import empty_tables, members_settings

EXAMPLES = 40
STEPS_MIN, STEPS_MAX = 4, 14
PEOPLE, CARDS = 3, 4
SETTINGS = members_settings()
CLAIMS = [SETTINGS.identities.claim("card", f"{number:08d}") for number in range(CARDS)]
SAID = Statement("test", "test")
REASON = next(iter(SETTINGS.reasons))

Step = tuple[str, int, int, int]
steps = st.lists(
    st.tuples(
        st.sampled_from(["link", "block", "unblock", "report_lost", "replace", "replace_lost", "merge", "close"]),
        st.integers(0, PEOPLE - 1),
        st.integers(0, CARDS - 1),
        st.integers(0, CARDS - 1),
    ),
    min_size=STEPS_MIN,
    max_size=STEPS_MAX,
)


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=steps)
async def test_each_identifier_has_at_most_one_owner_whatever_happens(
    module_database: Database, history: list[Step]
) -> None:
    await empty_tables(module_database, "members")
    people = [await enrol_by_hand(module_database, SETTINGS, f"test-{number}") for number in range(PEOPLE)]
    owners: dict[str, UUID] = {}
    survivors: dict[UUID, UUID] = {}
    for step in history:
        await _take(module_database, people, step)
        async with module_database.transaction() as transaction:
            rows = await transaction.raw.fetch(
                "select identifier_hash, member_id from identifiers where identifier_type = 'card'"
            )
            survivors = await _survivors(transaction)
        now = {row["identifier_hash"]: row["member_id"] for row in rows}
        assert len(now) == len(rows)
        assert survivors.keys().isdisjoint(now.values())  # whoever was merged away has nothing
        kept = {identifier: survivors.get(owner, owner) for identifier, owner in owners.items()}
        assert kept.items() <= now.items()  # nobody's card became somebody else's
        owners = now
    await _check_what_was_told(module_database, owners, survivors)


async def _survivors(transaction: Transaction) -> dict[UUID, UUID]:
    rows = await transaction.raw.fetch("select member_id, merged_into from members where merged_into is not null")
    return {row["member_id"]: row["merged_into"] for row in rows}


async def _check_what_was_told(database: Database, owners: dict[str, UUID], survivors: dict[UUID, UUID]) -> None:
    """Events name each identifier's one owner, and their versions rise one by one: along the table of states, or to
    another owner in the same state, who answers for the one before."""
    allowed = {(before, after) for (before, _), after in TRANSITIONS.items()}
    last: dict[str, tuple[int, str, UUID]] = {}
    for row in await recorded_events(database, MEMBERS):
        if isinstance(row.event, IdentifierLinked | IdentifierRevoked):
            told = row.event.data
            assert survivors.get(told.member_id, told.member_id) == owners[told.identifier_hash]
            version, state, owner = last.get(told.identifier_hash, (told.version - 1, "issued", told.member_id))
            assert told.version == version + 1
            assert (state, told.state) in allowed if owner == told.member_id else state == told.state
            last[told.identifier_hash] = (told.version, told.state, told.member_id)
    assert {identifier: owner for identifier, (_, _, owner) in last.items()} == owners


async def _act(transaction: Transaction, people: list[UUID], step: Step) -> None:
    what, person, card, other = step
    member_id, claim = people[person], CLAIMS[card]
    match what:
        case "link":
            await link_identifier(transaction, member_id, claim, "test", SETTINGS.keys)
        case "block" | "unblock" | "report_lost":
            await change_identifier(transaction, claim.hashes, what, SAID)
        case "replace" | "replace_lost":
            new, is_lost = CLAIMS[other], what == "replace_lost"
            await replace_identifier(transaction, member_id, claim.hashes, new, SAID, SETTINGS.keys, is_lost=is_lost)
        case "merge":
            request = MergeRequest(member_id, people[other % PEOPLE], REASON, "test")
            await merge_members(transaction, request, SETTINGS.keys, SETTINGS.reasons)
        case _:
            await change_status(transaction, StatusRequest(member_id, "closed", REASON, "test"), SETTINGS.reasons)


async def _take(database: Database, people: list[UUID], step: Step) -> None:
    """One step; a refused one changes nothing."""
    try:
        async with database.transaction() as transaction:
            await _act(transaction, people, step)
    except RegistryRefusalError:
        pass
