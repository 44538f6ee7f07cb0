"""Pairs of members who may be one person, and the keyed hashes by which they are found."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

DUPLICATES = (
    # Whose person is new or was corrected, and is still to be held against the others. Enrolling writes it: ids rise,
    # so that the index grows at its end.
    "create table awaited_comparisons (member_id uuid primary key references members)",
    "insert into awaited_comparisons (member_id) select member_id from persons",
    # What persons share, hashed. Written by the comparison and not by the enrolment: hashes fall anywhere in the index.
    """
    create table person_blocks (
        member_id uuid not null references members,
        block bigint not null,
        primary key (member_id, block)
    )
    """,
    "create index person_blocks_block on person_blocks (block, member_id)",
    """
    create table duplicates (
        duplicate_id uuid primary key,
        first_member_id uuid not null references members,
        second_member_id uuid not null references members,
        state text not null
            constraint duplicates_state_known check (state in ('open', 'dismissed', 'outdated')),
        score_percent smallint not null constraint duplicates_score_is_percent check (score_percent between 0 and 100),
        agreeing_fields text[] not null,
        found_at timestamptz not null,
        reason_code text,
        dismissed_by text,
        dismissed_at timestamptz,
        constraint duplicates_one_a_pair unique (first_member_id, second_member_id),
        constraint duplicates_in_order check (first_member_id < second_member_id),
        constraint duplicates_dismissed_by_somebody check (state <> 'dismissed' or dismissed_by is not null)
    )
    """,
    "create index duplicates_second_member_id on duplicates (second_member_id)",
    "create index duplicates_open on duplicates (score_percent desc, duplicate_id) where state = 'open'",
)


def upgrade() -> None:
    """Create them; everybody who is there is compared."""
    for statement in DUPLICATES:
        op.execute(statement)
