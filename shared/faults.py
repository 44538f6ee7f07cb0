"""What is wrong with a document, and where: RFC 6901 pointers that its author knows.

What a document breaks of its schema becomes faults here; what only its whole shows is found by those who know it.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

DEPTH_MAX = 250
STEP_LENGTH_MAX = 80

_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong and where: ``pointer`` is a JSON pointer into the document."""

    pointer: str
    detail: str


def below(pointer: str, step: int | str) -> str:
    """The pointer of a field, or of an item, of what ``pointer`` names."""
    return f"{pointer}/{str(step).replace('~', '~0').replace('/', '~1')}"


def is_too_deep(document: Any) -> bool:
    """Whether it is nested deeper than any rule: nobody walks down there."""
    level = [document]
    for _ in range(DEPTH_MAX):
        level = [inner for each in level for inner in _inside(each)]
        if not level:
            return False
    return True


def schema_faults(model: type[BaseModel], document: Any, pointer: str = "") -> list[Fault]:
    """Every place at which the document is not what the model says, below ``pointer``."""
    try:
        model.model_validate(document)
    except ValidationError as error:
        return [
            Fault(_pointer_of(found["loc"], document, pointer, is_missing=found["type"] == "missing"), _words(found))
            for found in error.errors(include_url=False, include_input=False)
        ]
    return []


def text_faults(value: Any, pointer: str = "") -> Iterator[Fault]:
    """Texts that hold control characters, which no database keeps and no trace shows."""
    if isinstance(value, str):
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in value):
            yield Fault(pointer, "text may not hold control characters: remove them")
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from text_faults(inner, below(pointer, _shown(name)))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from text_faults(inner, below(pointer, at))


def _pointer_of(location: Sequence[int | str], document: Any, pointer: str, *, is_missing: bool) -> str:
    """pydantic puts names of union members into locations: what the document does not have is left out."""
    here = document
    for position, step in enumerate(location):
        inner = _inner(here, step)
        if inner is not _ABSENT:
            pointer, here = below(pointer, _shown(step)), inner
        elif is_missing and position == len(location) - 1:
            pointer = below(pointer, step)
    return pointer


def _shown(step: int | str) -> str:
    """A name as an answer can bear it: whoever made it up may have made it of anything."""
    return str(step)[:STEP_LENGTH_MAX].encode("utf-8", "replace").decode()


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list) else ()


def _inner(here: Any, step: int | str) -> Any:
    if isinstance(here, Mapping):
        return here.get(step, _ABSENT)
    if isinstance(here, list) and isinstance(step, int) and 0 <= step < len(here):
        return here[step]
    return _ABSENT


def _words(found: Mapping[str, Any]) -> str:
    kind, context = found["type"], found.get("ctx", {})
    if kind == "union_tag_invalid":
        return f"{context['discriminator']} should be one of {context['expected_tags']}"
    if kind == "extra_forbidden":
        return "this field is not known: remove it"
    return str(found["msg"]).removeprefix("Value error, ")
