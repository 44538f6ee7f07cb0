"""What fraud keeps for a time."""

from shared.runtime.retention import DataClass

# Words that people wrote about people. Everything else of a case is codes and figures.
NOTES_OF_CLOSED_CASES = DataClass(
    name="notes_of_closed_cases",
    purpose="to explain a decision to the member or to an auditor",
    keep_days=730,
    keep_days_min=1,
    action="blank",
    statement="""
        update cases set note = null where case_id in (
            select case_id from cases where closed_at < $1 and note is not null
            order by closed_at limit $2 for update skip locked
        )
    """,
)

# More than answers to tills are kept, under whose keys the same is asked again.
SPEND_DECISIONS = DataClass(
    name="spend_decisions",
    purpose="to know unusual spending, to answer a repeated ask as the first one, and to explain a decision",
    keep_days=400,
    keep_days_min=30,
    action="delete",
    statement="""
        delete from spend_decisions where decision_id in (
            select decision_id from spend_decisions where asked_at < $1
            order by asked_at limit $2 for update skip locked
        )
    """,
)
