"""The hash that tells a repeated document from another one under the same key.

SHA-256 over the canonical JSON of RFC 8785: keys sorted, nothing between tokens, absent and null fields left out,
decimals without trailing zeros. What is hashed is the till's document after validation and nothing that the door adds.

A document names who was shown at the till: what is kept is this hash under a key
(``services/accrual/domain/content_keys.py``).
"""

import hashlib
from decimal import Decimal

import orjson
from pydantic import BaseModel


def content_hash(document: BaseModel) -> str:
    """SHA-256 (hex) of a validated document. Documents of equal meaning have equal hashes, for ever."""
    return hashlib.sha256(canonical_json(document.model_dump(mode="python", exclude_none=True))).hexdigest()


def canonical_json(value: object) -> bytes:
    """RFC 8785 for what our documents hold: texts, whole numbers, booleans, lists and objects with ASCII keys.

    For these, sorting keys bytewise is the order that the RFC asks for, and orjson escapes as it says; there are no
    floats, whose form is the RFC's hard part. Decimals become texts; times stay as the till told them,
    with their offset (``Z`` for UTC).
    """
    return orjson.dumps(
        value, default=_as_text, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS
    )


def _as_text(value: object) -> str:
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    raise TypeError(f"{type(value).__name__} has no canonical form")
