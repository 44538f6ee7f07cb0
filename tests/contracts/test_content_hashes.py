"""Twenty documents of tills, their canonical form and its hash (``documents.json``): a hash that changed would make
every till's retry a conflict.

So a field that is added to the document must be absent by default: a default that is written out would change the hash
of every document.
"""

import hashlib
import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from services.accrual.schemas.documents import ReceiptBody
from shared.content_hash import canonical_json, content_hash

GOLDEN: list[dict[str, Any]] = json.loads((Path(__file__).parent / "documents.json").read_text())

# The largest whole number that every reader of JSON holds exactly, and that the RFC allows.
EXACT_MAX = 2**53 - 1


def as_told(value: Any) -> Any:
    """The validated document in JSON's own kinds, written without the code under test."""
    match value:
        case dict():
            return {key: as_told(item) for key, item in value.items() if item is not None}
        case list() | tuple():
            return [as_told(item) for item in value]
        case Decimal():
            whole = value.normalize()
            return str(whole.quantize(Decimal(1)) if whole == whole.to_integral_value() else whole)
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date() | UUID():
            return str(value)
        case _:
            return value


@pytest.mark.parametrize("golden", GOLDEN, ids=[golden["name"] for golden in GOLDEN])
def test_a_content_hash_never_changes(golden: dict[str, Any]) -> None:
    body = ReceiptBody.model_validate_json(json.dumps(golden["document"]))

    assert content_hash(body) == golden["sha256"]
    assert hashlib.sha256(golden["canonical"].encode()).hexdigest() == golden["sha256"]
    assert rfc8785.dumps(as_told(body.model_dump())).decode() == golden["canonical"]


def test_twenty_documents_have_fifteen_contents() -> None:
    assert len(GOLDEN) == 20
    assert len({golden["sha256"] for golden in GOLDEN}) == 15


values = st.recursive(
    st.one_of(st.booleans(), st.integers(-EXACT_MAX, EXACT_MAX), st.text(st.characters(codec="utf-8"))),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text(st.characters(codec="ascii"), max_size=6), inner, max_size=4),
    ),
    max_leaves=20,
)


@given(values)
def test_the_canonical_form_is_that_of_rfc_8785(value: Any) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=0, max_value=10**9), st.integers(0, 3))
def test_zeros_behind_the_point_never_count(quantity: Decimal, zeros: int) -> None:
    padded = quantity.quantize(Decimal(1).scaleb(-3 - zeros))

    assert canonical_json([padded]) == canonical_json([quantity])
