"""Members can be erased: their identifiers' versions live on in one number, and answers about them can be found."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ERASURE = (
    # An identifier that was erased may be linked anew. Its old version is gone with its hash, and a projection that has
    # not heard of the erasure yet takes higher versions only: so every new one begins above all that were erased.
    """
    create table identifier_versions (
        is_only boolean primary key default true constraint identifier_versions_one_row check (is_only),
        erased_max bigint not null
    )
    """,
    "insert into identifier_versions (erased_max) values (0)",
    # Answers that are kept for retries name members and hashes; what they answered is found by the member they name.
    r"""
    create function member_of_answer(body bytea) returns text
        language sql immutable parallel safe
        return substring(convert_from(body, 'UTF8') from '"member_id":"([0-9a-f-]{36})"')
    """,
    "create index idempotency_member on idempotency (member_of_answer(body)) where member_of_answer(body) is not null",
)


def upgrade() -> None:
    """Create them."""
    for statement in ERASURE:
        op.execute(statement)
