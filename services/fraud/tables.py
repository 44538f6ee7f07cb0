"""The tables that SQLAlchemy statements touch. The migrations say what they are."""

from sqlalchemy import BigInteger, Column, DateTime, Integer, LargeBinary, MetaData, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

cases = Table(
    "cases",
    metadata,
    Column("case_id", Uuid, primary_key=True),
    Column("member_id", Uuid, nullable=False),
    Column("operator_hash", Text, nullable=False),
    Column("partner_id", Text, nullable=False),
    Column("rule_code", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("outcome", Text),
    Column("version", BigInteger, nullable=False),
    Column("receipts", Integer, nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("closed_at", DateTime(timezone=True)),
    Column("closed_by", Text),
    Column("note", Text),
    Column("moves", BigInteger, nullable=False),
)

signals = Table(
    "signals",
    metadata,
    Column("signal_id", Uuid, primary_key=True),
    Column("receipt_key", LargeBinary, nullable=False),
    Column("rule_code", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("observed", BigInteger, nullable=False),
    Column("threshold", BigInteger, nullable=False),
    Column("window_label", Text, nullable=False),
    Column("case_id", Uuid),
    Column("raised_at", DateTime(timezone=True), nullable=False),
    Column("moves", BigInteger, nullable=False),
)

holds = Table(
    "holds",
    metadata,
    Column("receipt_key", LargeBinary, primary_key=True),
    Column("moves", BigInteger, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("action", Text, nullable=False),
    Column("ends_at", DateTime(timezone=True)),
    Column("case_id", Uuid, nullable=False),
    Column("rule_code", Text, nullable=False),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("store_id", Text, nullable=False),
    Column("shift_number", BigInteger),
    Column("changed_at", DateTime(timezone=True), nullable=False),
)

decisions = Table(
    "decisions",
    metadata,
    Column("receipt_key", LargeBinary, primary_key=True),
    Column("member_id", Uuid, nullable=False),
    Column("action", Text, nullable=False),
    Column("rule_set_version", Integer, nullable=False),
    Column("outcomes", JSONB, nullable=False),
    Column("decided_at", DateTime(timezone=True), nullable=False),
    Column("raised_by", LargeBinary),
    Column("raised_at", DateTime(timezone=True)),
    Column("moves", BigInteger, nullable=False),
)

former_decisions = decisions.to_metadata(metadata, name="former_decisions")

receipt_moves = Table(
    "receipt_moves",
    metadata,
    Column("receipt_key", LargeBinary, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("member_id", Uuid, nullable=False),
    Column("moved_at", DateTime(timezone=True), nullable=False),
)
