"""Returns that name no purchase, and what became of them.

Revision ID: 0039
Revises: 0038
"""

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

TABLES = """
    -- One that waits is a person's: what is proposed for it stands in the row until a second person has looked.
    create table unlinked_returns (
        natural_key bytea primary key,
        partner_id text not null,
        owner_id uuid,
        occurred_at timestamptz not null,
        came_at timestamptz not null,
        state text not null
            constraint unlinked_returns_state_known
            check (state in ('ignored', 'taken_back', 'waiting', 'linked', 'dismissed')),
        rule_set_version bigint,
        mapping_version bigint not null,
        points bigint not null,
        became_debt bigint not null,
        clipped bigint not null,
        event bytea,
        proposal text constraint unlinked_returns_proposal_known check (proposal in ('link', 'dismiss')),
        original_key bytea,
        line_ids bigint[] not null default '{}',
        original_line_ids bigint[] not null default '{}',
        reason_code text,
        proposed_by text,
        proposed_at timestamptz,
        decided_by text,
        decided_at timestamptz,
        constraint unlinked_returns_not_negative check (points >= 0 and became_debt >= 0 and clipped >= 0),
        constraint unlinked_returns_whole_proposal check (
            (proposal is null) = (reason_code is null) and (proposal is null) = (proposed_by is null)
            and (proposal is null) = (proposed_at is null)
            and (proposal is not distinct from 'link') = (original_key is not null)),
        constraint unlinked_returns_lines_in_pairs check (cardinality(line_ids) = cardinality(original_line_ids)),
        constraint unlinked_returns_second_person check (state not in ('linked', 'dismissed')
            or (proposal is not null and decided_by is not null and decided_by <> proposed_by))
    ) with (fillfactor = 80);
    create index unlinked_returns_listed on unlinked_returns (state, came_at, natural_key);
    create index unlinked_returns_of_owner on unlinked_returns (owner_id, natural_key);
"""


def upgrade() -> None:
    """Make room for them."""
    op.execute(TABLES)
