"""The registry before, while and after its identifier key is replaced."""

from typing import Any

from shared.ids import IdentifierKey, IdentifierKeys
from tests.support.registries import IDENTIFIER_KEY, members_settings

NEXT_IDENTIFIER_KEY = "a1" * 32
OLD = IdentifierKey(1, bytes.fromhex(IDENTIFIER_KEY))
NEW = IdentifierKey(2, bytes.fromhex(NEXT_IDENTIFIER_KEY))

# As environment variables say it, in the order in which an operator sets them.
PREPARED: dict[str, Any] = {
    "identifier_key_second": NEXT_IDENTIFIER_KEY,
    "identifier_key_second_version": 2,
}
SWITCHED: dict[str, Any] = {
    "identifier_key": NEXT_IDENTIFIER_KEY,
    "identifier_key_version": 2,
    "identifier_key_second": IDENTIFIER_KEY,
    "identifier_key_second_version": 1,
}
RETIRED: dict[str, Any] = {"identifier_key": NEXT_IDENTIFIER_KEY, "identifier_key_version": 2}

BEFORE = members_settings()
PREPARING = members_settings(**PREPARED)
SWITCHING = members_settings(**SWITCHED)
AFTER = members_settings(**RETIRED)

BOTH = IdentifierKeys(NEW, OLD)
