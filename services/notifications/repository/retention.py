"""What notifications keeps for a time."""

from shared.runtime.retention import DataClass

# The entries of a message make a replay of the topic harmless, so they stay until the topic has forgotten their events.
SETTLED_MESSAGES = DataClass(
    name="settled_messages",
    purpose="to answer a member who asks what was sent to them, and when",
    keep_days=400,
    keep_days_min=100,
    action="delete",
    statement="""
        with old as (
            select message_id from messages where settled_at < $1
            order by settled_at limit $2 for update skip locked
        ), entries as (
            delete from digest_entries using old where digest_entries.message_id = old.message_id
        ), news as (
            delete from news_entries using old where news_entries.message_id = old.message_id
        ), codes as (
            delete from code_messages using old where code_messages.message_id = old.message_id
        ), notices as (
            delete from pin_notices using old where pin_notices.message_id = old.message_id
        )
        delete from messages using old where messages.message_id = old.message_id
    """,
)
