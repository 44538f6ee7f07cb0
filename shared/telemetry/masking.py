"""What a log line may not say.

Names of fields decide first: whatever stands under a personal or secret name is replaced. Texts are searched as well,
because an address may come in a message that somebody else wrote.
"""

import re
from collections.abc import Mapping, Sequence

MASK = "…"
DEPTH_MAX = 6
TEXT_LENGTH_MAX = 2_000

_HIDDEN_WORDS = (
    "address",
    "api_key",
    "authorization",
    "birth",
    "body",
    "card",
    "contact",
    "cookie",
    "email",
    "identifier",
    "input",
    "name",
    "params",
    "passw",
    "phone",
    "private",
    "recipient",
    "secret",
    "signature",
    "token",
    "value",
)
# Names that contain such a word and say nothing about anybody.
_HARMLESS = frozenset(
    {"identifier_type", "filename", "hostname", "logger_name", "task_name", "thread_name", "token_issuer", "event_name"}
)
_EMAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
# Seven digits and more, also with separators, but no date and no UUID: a phone or a card.
_LONG_NUMBER = re.compile(r"(?<![\w.-])(?!\d{4}-\d{2}-\d{2}|[0-9a-f]{8}-[0-9a-f]{4}-)\+?\d(?:[ -]?\d){6,}(?![\w-])")
_BEARER = re.compile(r"(?i)\b(bearer\s+)[\w.~+/=-]+|\b(?:tk|cs|ct|hi)_[\w-]{8,}|\beyJ[\w-]+\.[\w-]+\.[\w-]*")


def is_hidden(name: str) -> bool:
    """Whether what stands under this name is personal or secret."""
    lowered = name.lower()
    return lowered not in _HARMLESS and any(word in lowered for word in _HIDDEN_WORDS)


def mask_text(text: str) -> str:
    """The text without e-mail addresses, long numbers and keys, cut at ``TEXT_LENGTH_MAX``."""
    masked = _BEARER.sub(MASK, _LONG_NUMBER.sub(MASK, _EMAIL.sub(MASK, text)))
    return masked if len(masked) <= TEXT_LENGTH_MAX else masked[:TEXT_LENGTH_MAX] + MASK


def mask(value: object, depth: int = 0) -> object:
    """The value as it may be logged: hidden names replaced, texts searched, to a depth of ``DEPTH_MAX``."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return mask_text(value)
    if depth >= DEPTH_MAX:
        return MASK
    if isinstance(value, Mapping):
        return {str(key): MASK if is_hidden(str(key)) else mask(item, depth + 1) for key, item in value.items()}
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, bytes | bytearray):
        return [mask(item, depth + 1) for item in value]
    return MASK if isinstance(value, bytes | bytearray) else mask_text(str(value))
