"""Persons are sealed under a key of their own; members may have every status that events know.

The plain columns are dropped, not converted. SQL cannot encrypt with a key that stands in no database, and rows that
were plain once stay readable in old pages, the log and copies, whatever is done to the table: to carry them over would
promise what it does not give. No version with plain columns was released, so there is nobody to carry over; where a
development database has persons all the same, this migration stops and says so instead of losing them.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NOBODY_IS_PLAIN = """
    do $$
    begin
        if exists (select from persons) then
            raise exception 'persons from before 0002 stand there unencrypted, and are not converted'
                using hint = 'No released version wrote them. Start with an empty database, and enrol them again.';
        end if;
    end
    $$
"""

SEALED = (
    # Keys stand apart from what they seal, so that a copy can be taken of one without the other.
    """
    create table member_keys (
        member_id uuid primary key constraint member_keys_member_known references members,
        master_key_id text not null,  -- which master key opens it
        wrapped_key bytea not null
    ) with (fillfactor = 90)
    """,
    "create index member_keys_master_key_id on member_keys (master_key_id, member_id)",
    """
    alter table persons
        drop column given_name,
        drop column family_name,
        drop column email,
        drop column phone,
        add column sealed bytea not null  -- names, addresses, phone and date of birth, by AES-256-GCM
    """,
    """
    alter table members
        add column birth_month smallint constraint members_birth_month_known check (birth_month between 1 and 12),
        add column birth_day smallint constraint members_birth_day_known check (birth_day between 1 and 31),
        drop constraint members_status_known,
        add constraint members_status_known check (
            status in ('active', 'suspended', 'earn_only', 'spend_locked', 'merged', 'closed', 'erased')
        )
    """,
)


def upgrade() -> None:
    """Replace the plain columns."""
    for statement in (NOBODY_IS_PLAIN, *SEALED):
        op.execute(statement)
