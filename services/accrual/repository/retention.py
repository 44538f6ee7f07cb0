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

# What became of it stays; of those that wait people need the document.
UNLINKED_RETURNS = DataClass(
    name="unlinked_returns",
    purpose="to explain what a return that names no purchase took",
    keep_days=730,
    keep_days_min=100,
    action="blank",
    statement="""
        update unlinked_returns set event = null where natural_key in (
            select natural_key from unlinked_returns where came_at < $1 and event is not null and state <> 'waiting'
            order by came_at limit $2 for update skip locked
        )
    """,
)

# Rows in which two meet are locks and hold nothing: who finds one gone lays it anew. But their keys name cards that
# nobody may ever register. One that somebody holds is found the next time.
MEETING_ROWS = DataClass(
    name="meeting_rows",
    purpose="to let a receipt and the fact that it lacks find each other",
    keep_days=7,
    keep_days_min=1,
    action="delete",
    statement="""
        delete from meeting_rows where key in (
            select key from meeting_rows where laid_at < $1
            order by laid_at limit $2 for update skip locked
        )
    """,
)

# The longest period that a scheme may have, and the one before it: 72 months. What is older counts towards no tier.
TIER_DAYS = DataClass(
    name="tier_days",
    purpose="to grade members by what they collected",
    keep_days=2_300,
    keep_days_min=2_200,
    action="delete",
    statement="""
        delete from tier_days where (member_id, day) in (
            select member_id, day from tier_days where day < $1::date
            limit $2 for update skip locked
        )
    """,
)

# Only today's sums are asked for; a client's retry, and a look back, may come a little later.
AUTHOR_DAYS = DataClass(
    name="author_days",
    purpose="to ask for a second person where one moves many points on a day",
    keep_days=90,
    keep_days_min=2,
    action="delete",
    statement="""
        delete from author_days where (author, day) in (
            select author, day from author_days where day < $1::date
            order by day limit $2 for update skip locked
        )
    """,
)

# Told of receipts that may not have come yet. What an event has released stands in the award; told again after that, it
# is answered from there. The claim that a telling has laid down goes with it where nothing else has come under its key:
# it is a lock alone, and who finds it gone lays it anew. One that somebody holds just now stays.
AWARD_EVENTS = DataClass(
    name="award_events",
    purpose="to release points of receipts that are told of before they come",
    keep_days=400,
    keep_days_min=100,
    action="delete",
    statement="""
        with due as materialized (
            select natural_key, event from award_events where told_at < $1
            order by told_at limit $2 for update skip locked
        ), never_came as materialized (
            select natural_key from claims
            where natural_key in (select natural_key from due) and state = 'parked' and content_hash is null
            for update skip locked
        ), let_go as (
            delete from claims where natural_key in (select natural_key from never_came)
        )
        delete from award_events where (natural_key, event) in (select natural_key, event from due)
    """,
)

# A report names the members whose points would change most.
BACKTESTS = DataClass(
    name="backtests",
    purpose="to weigh a rule set by what it would have given",
    keep_days=180,
    keep_days_min=1,
    action="delete",
    statement="""
        delete from backtests where backtest_id in (
            select backtest_id from backtests where ended_at < $1
            order by ended_at limit $2 for update skip locked
        )
    """,
)

# How much longer than they wait at least, and at first: the topic's records of them must be gone by then.
MARGIN_DAYS_MIN = 7
MARGIN_DAYS = 30
TOPIC_DAYS = 30


def parked_with_hash(window_days: int) -> DataClass:
    """Receipts that wait and bear the hash of an identifier: after ``window_days`` it would earn nothing any more."""
    least_days = max(window_days, TOPIC_DAYS) + MARGIN_DAYS_MIN
    return DataClass(
        name="parked_with_hash",
        purpose="to credit what was bought before the card was registered",
        keep_days=max(window_days + MARGIN_DAYS, least_days),
        keep_days_min=least_days,
        action="delete",
        statement="""
            delete from parked where natural_key in (
                select natural_key from parked where parked_at < $1 and identifier_hash is not null
                order by parked_at limit $2 for update skip locked
            )
        """,
    )


def kept_for_a_time(parked_window_days: int) -> tuple[DataClass, ...]:
    """All of them."""
    waiting = parked_with_hash(parked_window_days)
    kept = (DOCUMENTS, REFUSED_DOCUMENTS, UNLINKED_RETURNS, MEETING_ROWS, TIER_DAYS)
    return (*kept, AWARD_EVENTS, AUTHOR_DAYS, BACKTESTS, waiting)
