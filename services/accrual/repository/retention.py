"""What accrual keeps for a time."""

from shared.runtime.retention import DataClass

# What a member bought, article by article. Without its document an award stands, and its goods cannot be returned.
DOCUMENTS = DataClass(
    name="documents",
    purpose="to take goods back, and to explain what a receipt earned",
    keep_days=1_095,
    keep_days_min=100,
    action="delete",
    statement="""
        delete from documents where (natural_key, decided_at) in (
            select natural_key, decided_at from documents where decided_at < $1
            order by decided_at limit $2 for update skip locked
        )
    """,
)

REFUSED_DOCUMENTS = DataClass(
    name="refused_documents",
    purpose="to show a partner what was refused, beside what was counted",
    keep_days=730,
    keep_days_min=100,
    action="blank",
    statement="""
        update refusals set event = null where (natural_key, content_hash) in (
            select natural_key, content_hash from refusals where refused_at < $1 and event is not null
            order by refused_at limit $2 for update skip locked
        )
    """,
)
