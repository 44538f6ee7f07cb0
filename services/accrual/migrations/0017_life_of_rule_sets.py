"""A rule set is drafted, submitted, approved by a second person, published for a time, and retired.

Revision ID: 0017
Revises: 0016
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# Versions from before were published at once by one client: what they were approved by says so.
TABLES = """
    alter table rule_sets
        drop constraint rule_sets_pkey,
        add column rule_set_id uuid not null default gen_random_uuid(),
        add column state text not null default 'published'
            constraint rule_sets_state_known
            check (state in ('draft', 'submitted', 'approved', 'published', 'withdrawn', 'retired')),
        add column authors text[] not null default '{}',
        add column revision bigint not null default 1
            constraint rule_sets_revision_counts check (revision >= 1),
        add column drafted_at timestamptz,
        add column approved_by text,
        add column approved_at timestamptz,
        alter column version drop not null,
        alter column effective_from drop not null,
        alter column published_by drop not null,
        alter column published_at drop not null;
    update rule_sets set authors = array[published_by], drafted_at = published_at, approved_at = published_at,
        approved_by = 'before approvals', document = document - '{version,effective_from}'::text[];
    alter table rule_sets
        alter column rule_set_id drop default,
        alter column state drop default,
        alter column authors drop default,
        alter column revision drop default,
        alter column drafted_at set not null,
        add primary key (rule_set_id),
        add constraint rule_sets_version_unique unique (version),
        add constraint rule_sets_version_counts check (version >= 1),
        add constraint rule_sets_somebody_wrote_it check (cardinality(authors) >= 1),
        add constraint rule_sets_four_eyes check (approved_by <> all (authors)),
        add constraint rule_sets_approved_by_somebody check (
            (approved_by is not null) = (state not in ('draft', 'submitted'))
            and (approved_by is null) = (approved_at is null)
        ),
        add constraint rule_sets_published_as_a_version check (
            (version is not null or state not in ('published', 'retired'))
            and (version is null or state in ('published', 'retired', 'withdrawn'))
            and (version is null) = (effective_from is null)
            and (version is null) = (published_by is null)
            and (version is null) = (published_at is null)
        );
    -- One version takes effect at a moment, or nobody could say which of two counts.
    create unique index rule_sets_effective_from on rule_sets (effective_from) where state in ('published', 'retired');
    create index rule_sets_newest on rule_sets (drafted_at desc, rule_set_id desc);

    -- Who did what when. Rows are never changed: not even the service has the right to.
    create table rule_set_changes (
        rule_set_id uuid not null constraint rule_set_changes_known references rule_sets,
        revision bigint not null,
        action text not null constraint rule_set_changes_action_known check (action in
            ('drafted', 'changed', 'submitted', 'refused', 'approved', 'published', 'withdrawn', 'retired')),
        author text not null,
        at timestamptz not null,
        reason text,
        version integer,
        effective_from timestamptz,
        document_sha256 bytea not null
            constraint rule_set_changes_document_is_sha256 check (octet_length(document_sha256) = 32),
        primary key (rule_set_id, revision)
    );
"""

# What a second person read is what is published, and what judged receipts judges them for ever.
KEEP_DOCUMENT = """
    create function rule_sets_keep_document() returns trigger language plpgsql as $$
    begin
        if (old.state <> 'draft' and (new.document, new.authors) is distinct from (old.document, old.authors))
            or (old.version is not null and (new.version, new.effective_from, new.published_by, new.published_at)
                is distinct from (old.version, old.effective_from, old.published_by, old.published_at))
            or old.state in ('withdrawn', 'retired')
        then
            raise exception 'a submitted rule set does not change'
                using errcode = 'check_violation', constraint = 'rule_sets_keep_document';
        end if;
        return new;
    end
    $$
"""
KEPT = """
    create trigger rule_sets_keep_document before update on rule_sets
        for each row execute function rule_sets_keep_document()
"""


def upgrade() -> None:
    """Give rule sets a life; those that were published before are published."""
    op.execute(TABLES)
    op.execute(KEEP_DOCUMENT)
    op.execute(KEPT)
