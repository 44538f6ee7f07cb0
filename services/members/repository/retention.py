"""What members keeps for a time."""

from shared.runtime.retention import DataClass

# Who invited whom, and it came to nothing. What was accepted is gone from here at once, and stands in the history.
EXPIRED_INVITATIONS = DataClass(
    name="expired_invitations",
    purpose="to tell whoever comes with an old invitation that its time is over",
    keep_days=30,
    keep_days_min=1,
    action="delete",
    statement="""
        delete from household_invitations where (household_id, member_id) in (
            select household_id, member_id from household_invitations where expires_at < $1
            order by expires_at limit $2 for update skip locked
        )
    """,
)
