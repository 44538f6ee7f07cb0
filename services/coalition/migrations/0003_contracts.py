"""Contracts: what a partner pays for issued points and gets for redeemed ones."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# btree_gist: the exclusion constraint compares texts beside ranges. It is trusted, and part of every distribution.
CONTRACTS = (
    "create extension if not exists btree_gist",
    # rates and exclusivities: [{...}], prices as texts of decimals, so that nothing reads them as binary fractions.
    """
    create table contracts (
        contract_id uuid primary key,
        partner_id text collate "C" not null constraint contracts_partner_known references partners,
        number integer not null constraint contracts_number_counts check (number >= 1),
        state text not null constraint contracts_state_known check (state in ('draft', 'submitted', 'approved')),
        effective_from timestamptz not null,
        effective_until timestamptz,
        currency text not null,
        rates jsonb not null,
        funding text not null constraint contracts_funding_known check (funding in ('prepaid', 'postpaid')),
        amount_minor bigint not null constraint contracts_amount_not_negative check (amount_minor >= 0),
        alert_percents integer[] not null,
        when_exhausted text not null
            constraint contracts_when_exhausted_known check (when_exhausted in ('refuse', 'reserve')),
        reserve_minor bigint not null constraint contracts_reserve_not_negative check (reserve_minor >= 0),
        exclusivities jsonb not null,
        authors text[] not null constraint contracts_somebody_wrote_it check (cardinality(authors) >= 1),
        version bigint not null constraint contracts_version_counts check (version >= 1),
        drafted_at timestamptz not null,
        approved_by text,
        approved_at timestamptz,
        ended_by text,
        constraint contracts_number_unique unique (partner_id, number),
        constraint contracts_end_after_beginning check (effective_until is null or effective_until >= effective_from),
        constraint contracts_approved_by_somebody check (
            (state = 'approved') = (approved_by is not null) and (approved_by is null) = (approved_at is null)
        ),
        constraint contracts_four_eyes check (approved_by <> all (authors) and ended_by <> all (authors)),
        constraint contracts_never_overlap exclude using gist (
            partner_id with =, tstzrange(effective_from, effective_until) with &&
        ) where (state = 'approved')
    )
    """,
    # What two people agreed on is not changed by one: an approved contract can only get an earlier end.
    """
    create function contracts_keep_terms() returns trigger language plpgsql as $$
    begin
        if (new.effective_until is null and old.effective_until is not null)
            or new.effective_until > old.effective_until
            or (to_jsonb(new) - '{effective_until,ended_by,version}'::text[])
                <> (to_jsonb(old) - '{effective_until,ended_by,version}'::text[])
        then
            raise exception 'an approved contract does not change'
                using errcode = 'check_violation', constraint = 'contracts_keep_terms';
        end if;
        return new;
    end
    $$
    """,
    """
    create trigger contracts_keep_terms before update on contracts
        for each row when (old.state = 'approved') execute function contracts_keep_terms()
    """,
)


def upgrade() -> None:
    """Create the contracts."""
    for statement in CONTRACTS:
        op.execute(statement)
