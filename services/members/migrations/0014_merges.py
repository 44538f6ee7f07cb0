"""Members who turned out to be one: the one that goes names the one that stays, for ever."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    alter table members
        add column merged_into uuid constraint members_survivor_known references members,
        add constraint members_merged_into_another check (
            merged_into is null or (merged_into <> member_id and status in ('merged', 'erased'))
        )
    """,
    "create index members_merged_into on members (merged_into) where merged_into is not null",
    "alter table identifier_changes drop constraint identifier_changes_action_known",
    """
    alter table identifier_changes add constraint identifier_changes_action_known
        check (action in ('link', 'block', 'unblock', 'report_lost', 'replace', 'merge'))
    """,
)


def upgrade() -> None:
    """Make room for them."""
    for statement in STATEMENTS:
        op.execute(statement)
