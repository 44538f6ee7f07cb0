"""People beside API clients: with roles, from which their scopes follow."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A client has no roles, and a person has one at least."""
    op.execute("""
        alter table api_clients
            add column roles text[] not null default '{}',
            add constraint api_clients_people_have_roles
                check ((client_id like 'person:%') = (cardinality(roles) > 0))
    """)
    op.execute("alter table api_clients alter column roles drop default")
