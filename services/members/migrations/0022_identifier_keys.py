"""An identifier may stand under two hashes while identifiers are re-keyed, and its value is kept, sealed."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

STATEMENTS = (
    # Twins share an id, and have one hash a key. A hash begins with the version of its key.
    "drop index identifiers_identifier_id",
    """
    create unique index identifiers_one_hash_a_key
        on identifiers (identifier_id, (split_part(identifier_hash, '.', 1)))
    """,
    # The normal form under the member's own key: what a new key is to hash. Null for those that were linked before.
    "alter table identifiers add column sealed_value bytea",
)


def upgrade() -> None:
    """Make room for twins."""
    for statement in STATEMENTS:
        op.execute(statement)
