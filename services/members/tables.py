"""The tables that SQLAlchemy statements read. The migrations say what they are."""

from sqlalchemy import BigInteger, Column, DateTime, LargeBinary, MetaData, SmallInteger, Table, Text, Uuid

metadata = MetaData()

members = Table(
    "members",
    metadata,
    Column("member_id", Uuid, primary_key=True),
    Column("status", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("region", Text),
    Column("version", BigInteger, nullable=False),
    Column("enrolled_by", Text, nullable=False),
    Column("enrolled_at", DateTime(timezone=True), nullable=False),
    Column("birth_month", SmallInteger),
    Column("birth_day", SmallInteger),
    Column("merged_into", Uuid),
    Column("household_id", Uuid),
)

persons = Table(
    "persons",
    metadata,
    Column("member_id", Uuid, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

member_keys = Table(
    "member_keys",
    metadata,
    Column("member_id", Uuid, primary_key=True),
    Column("master_key_id", Text, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
)

status_changes = Table(
    "status_changes",
    metadata,
    Column("member_id", Uuid, primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("from_status", Text, nullable=False),
    Column("to_status", Text, nullable=False),
    Column("reason_code", Text, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
)

personal_accesses = Table(
    "personal_accesses",
    metadata,
    Column("entry_id", BigInteger, primary_key=True),
    Column("member_id", Uuid, nullable=False),
    Column("accessed_by", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("sight", Text, nullable=False),
    Column("accessed_at", DateTime(timezone=True), nullable=False),
)

identifiers = Table(
    "identifiers",
    metadata,
    Column("identifier_hash", Text, primary_key=True),
    Column("identifier_type", Text, nullable=False),
    Column("member_id", Uuid, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("linked_at", DateTime(timezone=True), nullable=False),
    Column("identifier_id", Uuid, nullable=False),
)
