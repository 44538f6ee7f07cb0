"""The tables that SQLAlchemy statements touch. The migrations say what they are."""

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()

partners = Table(
    "partners",
    metadata,
    Column("partner_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("in_force_from", DateTime(timezone=True), nullable=False),
    Column("reason_code", Text, nullable=False),
    Column("last_earn_on", Date),
    Column("last_spend_on", Date),
    Column("returns_until", Date),
    Column("line_tolerance_minor", BigInteger, nullable=False),
    Column("receipt_tolerance_minor", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("registered_at", DateTime(timezone=True), nullable=False),
)

stores = Table(
    "stores",
    metadata,
    Column("partner_id", Text, primary_key=True),
    Column("store_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("gln", Text),
    Column("latitude_microdegrees", Integer),
    Column("longitude_microdegrees", Integer),
    Column("zone", Text),
    Column("opening_hours", JSONB, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("registered_at", DateTime(timezone=True), nullable=False),
)

api_clients = Table(
    "api_clients",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("partner_id", Text),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("secret_hash", Text, nullable=False),
    Column("previous_secret_hash", Text),
    Column("previous_valid_until", DateTime(timezone=True)),
    Column("roles", ARRAY(Text), nullable=False),
    Column("is_revoked", Boolean, nullable=False),
    Column("rate_limit_requests", Integer),
    Column("rate_limit_window_seconds", Integer),
    Column("version", BigInteger, nullable=False),
    Column("registered_at", DateTime(timezone=True), nullable=False),
)
