"""Who left a household with which their points stay: each leaving is settled once, for ever.

Revision ID: 0017
Revises: 0016
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# version: the household's, to which this leaving brought it. Written with the points that it moved, or did not.
LEAVINGS = """
    create table redemption_household_leavings (
        household_id uuid not null,
        member_id uuid not null,
        version bigint not null,
        heir_id uuid not null,
        left_at timestamptz not null,
        settled_at timestamptz not null,
        outcome text not null constraint redemption_household_leavings_outcome_known
            check (outcome in ('given', 'nothing_left', 'leaver_locked', 'leaver_merged', 'heir_gone', 'same_owner')),
        points bigint not null,
        primary key (household_id, member_id, version),
        constraint redemption_household_leavings_given_counts check ((outcome = 'given') = (points > 0))
    )
"""


def upgrade() -> None:
    """Make room for them."""
    op.execute(LEAVINGS)
