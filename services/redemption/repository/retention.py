"""What redemption keeps for a time."""

from shared.runtime.retention import DataClass

# The tender stays: that a receipt was paid so is a fact between the partner and the programme. The least is more than
# the receipt's topic keeps, which would bring the hash back.
HASHES_OF_WAITING_TENDERS = DataClass(
    name="hashes_of_waiting_tenders",
    purpose="to take points that a receipt was paid with before its card was known",
    keep_days=60,
    keep_days_min=37,
    action="blank",
    statement="""
        update redemption_waiting_tenders set identifier_hash = null
        where (receipt_key, redemption_id, content_hash) in (
            select receipt_key, redemption_id, content_hash from redemption_waiting_tenders
            where waiting_since < $1 and identifier_hash is not null
            order by waiting_since limit $2 for update skip locked
        )
    """,
)

QUOTES = DataClass(
    name="quotes",
    purpose="to price the holds that name them, and to show afterwards what was quoted",
    keep_days=30,
    keep_days_min=2,
    action="delete",
    statement="""
        delete from redemption_quotes
        where quote_id in (
            select quote_id from redemption_quotes where quoted_at < $1
            order by quoted_at limit $2 for update skip locked
        )
    """,
)

SOLD_GOODS = DataClass(
    name="goods_paid_with_points",
    purpose="to give points back, line by line, when goods are returned",
    keep_days=1_095,
    keep_days_min=100,
    action="delete",
    statement="""
        delete from redemption_sold_goods
        where (receipt_key, document_key, content_hash) in (
            select receipt_key, document_key, content_hash from redemption_sold_goods where read_at < $1
            order by read_at limit $2 for update skip locked
        )
    """,
)

# Most goods that come back were paid otherwise. The least is more than their topic keeps, which would bring them back.
WAITING_RETURNS = DataClass(
    name="waiting_returns",
    purpose="to give points back for goods that are returned before their receipt is read",
    keep_days=60,
    keep_days_min=37,
    action="delete",
    statement="""
        delete from redemption_returns
        where (return_key, content_hash) in (
            select return_key, content_hash from redemption_returns where state = 'waiting' and read_at < $1
            order by read_at limit $2 for update skip locked
        )
    """,
)

# The least is more than a receipt's topic keeps: what was promised is there when its receipt is read, however late.
PRIVILEGE_RESERVATIONS = DataClass(
    name="privilege_reservations",
    purpose="to let the receipts of till conversations use what was promised to them",
    keep_days=60,
    keep_days_min=37,
    action="delete",
    statement="""
        delete from redemption_privilege_reservations
        where (session_id, privilege_id) in (
            select session_id, privilege_id from redemption_privilege_reservations where expires_at < $1
            order by expires_at limit $2 for update skip locked
        )
    """,
)

# The least is more than a receipt's topic keeps, which would bring them back.
BOUGHT_PRIVILEGES = DataClass(
    name="bought_privileges",
    purpose="to give members what their purchases entitle to, and to show afterwards why they had it",
    keep_days=90,
    keep_days_min=37,
    action="delete",
    statement="""
        delete from redemption_bought_privileges
        where (receipt_key, privilege_id) in (
            select receipt_key, privilege_id from redemption_bought_privileges where last_day < $1::timestamptz::date
            order by last_day limit $2 for update skip locked
        )
    """,
)

CHALLENGES = DataClass(
    name="challenges",
    purpose="to count the tries of members' codes, and to show afterwards who confirmed what",
    keep_days=90,
    keep_days_min=8,
    action="delete",
    statement="""
        delete from redemption_challenges
        where challenge_id in (
            select challenge_id from redemption_challenges where sent_at < $1
            order by sent_at limit $2 for update skip locked
        )
    """,
)
