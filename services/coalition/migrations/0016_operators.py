"""Partners' operators, by keyed hashes: of the staff number, and of an own member card."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table operators (
        partner_id text collate "C" not null constraint operators_partner_known references partners,
        operator_hash text collate "C" not null,
        state text not null constraint operators_state_known check (state in ('active', 'left')),
        own_card_hashes text[] not null,
        version bigint not null constraint operators_version_positive check (version > 0),
        registered_at timestamptz not null,
        changed_at timestamptz not null,
        primary key (partner_id, operator_hash),
        constraint operators_who_left_have_no_card check (state = 'active' or own_card_hashes = '{}')
    )
    """,
    # An erasure looks for hashes, whoever's they are.
    "create index operators_own_cards on operators using gin (own_card_hashes) where own_card_hashes <> '{}'",
)


def upgrade() -> None:
    """No operators: partners register them."""
    for statement in STATEMENTS:
        op.execute(statement)
