"""Whatever processes with one key and with two do: an identifier has one owner and one state under all its hashes."""

from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.members.domain.errors import RegistryRefusalError
from services.members.domain.identifier_states import Statement
from services.members.domain.registry import Claim
from services.members.settings import MembersSettings
from services.members.use_cases.change_identifier import change_identifier
from services.members.use_cases.enrol_member import enrol_member
from services.members.use_cases.link_identifier import link_identifier
from services.members.use_cases.replace_identifier import replace_identifier
from shared.database import Database, Transaction
from shared.events.catalogue import MEMBERS
from shared.events.members import IdentifierLinked, IdentifierRevoked
from shared.ids import IdentifierType
from tests.support.enrolling import enrol_by_hand, enrolment
from tests.support.outbox_rows import recorded_events
from tests.support.registries import empty_tables
from tests.support.two_keys import BEFORE, BOTH, PREPARING, SWITCHING

EXAMPLES = 40
STEPS_MIN, STEPS_MAX = 4, 14
PEOPLE, CARDS = 3, 3
PROCESSES = (BEFORE, PREPARING, SWITCHING)
NUMBERS = [f"{number:08d}" for number in range(CARDS)]
SAID = Statement("test", "test")

Step = tuple[str, int, int, int, int]
steps = st.lists(
    st.tuples(
        st.sampled_from(["link", "enrol", "block", "unblock", "report_lost", "replace"]),
        st.integers(0, len(PROCESSES) - 1),
        st.integers(0, PEOPLE - 1),
        st.integers(0, CARDS - 1),
        st.integers(0, CARDS - 1),
    ),
    min_size=STEPS_MIN,
    max_size=STEPS_MAX,
)


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=steps)
async def test_each_identifier_has_one_owner_and_one_state_under_all_its_hashes(
    module_database: Database, history: list[Step]
) -> None:
    await empty_tables(module_database, "members")
    people = [await enrol_by_hand(module_database, BEFORE, f"first-{number}") for number in range(PEOPLE)]
    owners: dict[str, UUID] = {}
    for number, step in enumerate(history):
        try:
            async with module_database.transaction() as transaction:
                await _act(transaction, people, step, f"later-{number}")
        except RegistryRefusalError:
            pass
        now = await _owners(module_database)
        assert owners.items() <= now.items()  # nobody's card became somebody else's
        owners = now
    await _check_what_was_told(module_database)


async def _owners(database: Database) -> dict[str, UUID]:
    """Whose each card is; all its hashes must agree."""
    async with database.transaction() as transaction:
        rows = await transaction.raw.fetch("select * from identifiers where identifier_type = 'card'")
    found: dict[str, UUID] = {}
    for number in NUMBERS:
        hashes = BOTH.hashes(IdentifierType.CARD, number)
        of = {
            (row["identifier_id"], row["member_id"], row["state"]) for row in rows if row["identifier_hash"] in hashes
        }
        assert len(of) <= 1
        if of:
            found[number] = next(iter(of))[1]
    return found


async def _check_what_was_told(database: Database) -> None:
    """A projection that has heard all knows of each hash what the registry knows; versions rise one by one."""
    last: dict[str, tuple[UUID, str, int]] = {}
    for row in await recorded_events(database, MEMBERS):
        if isinstance(row.event, IdentifierLinked | IdentifierRevoked):
            told = row.event.data
            assert told.version == last.get(told.identifier_hash, (None, "", told.version - 1))[2] + 1
            last[told.identifier_hash] = (told.member_id, told.state, told.version)
    async with database.transaction() as transaction:
        rows = await transaction.raw.fetch("select * from identifiers where identifier_type = 'card'")
    assert last == {row["identifier_hash"]: (row["member_id"], row["state"], row["version"]) for row in rows}


async def _act(transaction: Transaction, people: list[UUID], step: Step, name: str) -> None:
    what, process, person, card, other = step
    settings_of = PROCESSES[process]
    member_id, claim = people[person], _claim(settings_of, card)
    match what:
        case "link":
            await link_identifier(transaction, member_id, claim, "test", settings_of.keys)
        case "enrol":
            await enrol_member(transaction, enrolment(settings_of, name, [claim]), settings_of.keys)
        case "replace":
            new = _claim(settings_of, other)
            await replace_identifier(transaction, member_id, claim.hashes, new, SAID, settings_of.keys, is_lost=False)
        case "block" | "unblock" | "report_lost":
            await change_identifier(transaction, claim.hashes, what, SAID)


def _claim(settings_of: MembersSettings, card: int) -> Claim:
    return settings_of.identities.claim("card", NUMBERS[card])
