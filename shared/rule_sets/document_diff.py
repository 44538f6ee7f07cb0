"""What differs between two JSON documents, with RFC 6901 pointers. Pure.

Things in a list that all bear an ``id`` are the same where the id is the same, wherever they stand. Other lists are
compared by place where all their items are objects, and as a whole otherwise: one more code in a list is one change.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import orjson

from shared.faults import below

Op: TypeAlias = Literal["added", "removed", "changed"]


class Change(NamedTuple):
    """One difference. ``pointer`` is its place in the new document, or in the old one for what was ``removed``."""

    op: Op
    pointer: str
    old: Any = None
    new: Any = None


class PartDiff(NamedTuple):
    """What became of the parts of a document that bear ids: whole ones by their pointers, and changes within one."""

    added: tuple[Change, ...]
    removed: tuple[Change, ...]
    changed: tuple["ChangedPart", ...]
    is_reordered: bool


class ChangedPart(NamedTuple):
    """A part that both documents have, and what changed in it."""

    id: str
    old_pointer: str
    new_pointer: str
    changes: tuple[Change, ...]


def compare(old: Any, new: Any, old_pointer: str = "", new_pointer: str = "") -> Iterator[Change]:
    """Every difference of two values, in the order of the new one, then what was removed.

    The pointers say where each stands in its own document: a part may have moved within its list.
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _compare_objects(old, new, old_pointer, new_pointer)
    elif _are_parts(old) and _are_parts(new):
        yield from _changes_of(compare_parts(old, new, old_pointer, new_pointer))
    elif _are_objects(old) and _are_objects(new) and len(old) == len(new):
        for at, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from compare(one, other, below(old_pointer, at), below(new_pointer, at))
    elif not _is_same(old, new):
        yield Change("changed", new_pointer, old, new)


def compare_parts(
    old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]], old_pointer: str, new_pointer: str
) -> PartDiff:
    """What became of parts that bear ids, which differ within each list."""
    before = {part["id"]: (at, part) for at, part in enumerate(old)}
    after = {part["id"]: (at, part) for at, part in enumerate(new)}
    changed = []
    for part_id, (at, part) in after.items():
        if part_id not in before:
            continue
        was_at, was = before[part_id]
        before_at, after_at = below(old_pointer, was_at), below(new_pointer, at)
        if changes := tuple(compare(was, part, before_at, after_at)):
            changed.append(ChangedPart(part_id, before_at, after_at, changes))
    return PartDiff(
        added=tuple(
            Change("added", below(new_pointer, at), None, part)
            for part_id, (at, part) in after.items()
            if part_id not in before
        ),
        removed=tuple(
            Change("removed", below(old_pointer, at), part, None)
            for part_id, (at, part) in before.items()
            if part_id not in after
        ),
        changed=tuple(changed),
        is_reordered=[each for each in before if each in after] != [each for each in after if each in before],
    )


def _changes_of(parts: PartDiff) -> Iterator[Change]:
    yield from parts.added
    for part in parts.changed:
        yield from part.changes
    yield from parts.removed


def _compare_objects(
    old: Mapping[str, Any], new: Mapping[str, Any], old_pointer: str, new_pointer: str
) -> Iterator[Change]:
    for name, value in new.items():
        if name in old:
            yield from compare(old[name], value, below(old_pointer, name), below(new_pointer, name))
        else:
            yield Change("added", below(new_pointer, name), None, value)
    for name, value in old.items():
        if name not in new:
            yield Change("removed", below(old_pointer, name), value, None)


def _are_objects(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _are_parts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(item, Mapping) and "id" in item for item in value)


def _is_same(old: Any, new: Any) -> bool:
    """As JSON means it: true is not 1, though Python says so."""
    return orjson.dumps(old, option=orjson.OPT_SORT_KEYS) == orjson.dumps(new, option=orjson.OPT_SORT_KEYS)
