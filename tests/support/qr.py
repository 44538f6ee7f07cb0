"""QR tokens as the registry would issue them."""

import secrets
from datetime import datetime
from uuid import UUID, uuid4

from shared.qr_tokens import NONCE_BYTES, QrKeys, QrToken

QR_KEYS = "1:" + "5a" * 32


def qr_token(member_id: UUID, issued_at: datetime, session_id: UUID | None = None, keys: str = QR_KEYS) -> str:
    """A token of the member; of a session of its own unless one is given."""
    token = QrToken(member_id, session_id or uuid4(), issued_at)
    return QrKeys.parse(keys).seal(token, secrets.token_bytes(NONCE_BYTES))
