"""The tables of a service's rule sets and of what was done to them."""

from collections.abc import Sequence
from typing import Final

_TABLES = """
    create table rule_sets (
        rule_set_id uuid primary key,
        document jsonb not null,
        state text not null constraint rule_sets_state_known
            check (state in ('draft', 'submitted', 'approved', 'published', 'withdrawn', 'retired')),
        authors text[] not null constraint rule_sets_somebody_wrote_it check (cardinality(authors) >= 1),
        revision bigint not null constraint rule_sets_revision_counts check (revision >= 1),
        drafted_at timestamptz not null,
        approved_by text constraint rule_sets_four_eyes check (approved_by <> all (authors)),
        approved_at timestamptz,
        version integer constraint rule_sets_version_unique unique
            constraint rule_sets_version_counts check (version >= 1),
        effective_from timestamptz,
        published_by text,
        published_at timestamptz,
        constraint rule_sets_approved_by_somebody check (
            (approved_by is not null) = (state not in ('draft', 'submitted'))
            and (approved_by is null) = (approved_at is null)
        ),
        constraint rule_sets_published_as_a_version check (
            (version is not null or state not in ('published', 'retired'))
            and (version is null or state in ('published', 'retired', 'withdrawn'))
            and (version is null) = (effective_from is null)
            and (version is null) = (published_by is null)
            and (version is null) = (published_at is null)
        )
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

# What a second person read is what is published, and what judged something judges it for ever.
_KEEP_DOCUMENT = """
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
_KEPT = """
    create trigger rule_sets_keep_document before update on rule_sets
        for each row execute function rule_sets_keep_document()
"""

RULE_SETS_DDL: Final[Sequence[str]] = (_TABLES, _KEEP_DOCUMENT, _KEPT)
