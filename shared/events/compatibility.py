"""Whether a changed schema still fits what is stored and who reads it.

Events lie on topics for months, and readers are deployed before writers. So a type may gain optional fields and values
of an enumeration, and nothing else: what was written yesterday must be readable tomorrow, and a field that readers rely
on must not go. Any other change is a new type with the next version in its name.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

Schema: TypeAlias = Mapping[str, Any]

# A bound may only be loosened: the new value must not be above (or below) the old one; absent is loosest.
_LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
_FIXED = ("type", "const", "format", "pattern")


def breaking_changes(old: Schema, new: Schema) -> list[str]:
    """What in ``new`` breaks readers or stored events of ``old``, one sentence each; empty where nothing does."""
    return sorted(set(_compare("", old, new, old, new)))


def _compare(path: str, old: Schema, new: Schema, old_root: Schema, new_root: Schema) -> Iterator[str]:
    old, new = _resolved(old, old_root), _resolved(new, new_root)
    where = path or "the event"
    for word in _FIXED:
        if old.get(word) != new.get(word):
            yield f"{where}: {word} was {old.get(word)!r} and is {new.get(word)!r}"
    yield from _bounds(where, old, new)
    if "enum" in old and not set(old["enum"]) <= set(new.get("enum", old["enum"])):
        yield f"{where}: values were taken away: {sorted(set(old['enum']) - set(new['enum']))}"
    if "enum" in new and "enum" not in old:
        yield f"{where}: only some values are left"
    yield from _properties(path, old, new, old_root, new_root)
    if "items" in old or "items" in new:
        yield from _compare(f"{path}/[]", old.get("items", {}), new.get("items", {}), old_root, new_root)
    yield from _alternatives(path, old, new, old_root, new_root)


def _bounds(where: str, old: Schema, new: Schema) -> Iterator[str]:
    for word in _LOWER_BOUNDS:
        if word in new and (word not in old or new[word] > old[word]):
            yield f"{where}: {word} was raised to {new[word]}"
    for word in _UPPER_BOUNDS:
        if word in new and (word not in old or new[word] < old[word]):
            yield f"{where}: {word} was lowered to {new[word]}"


def _properties(path: str, old: Schema, new: Schema, old_root: Schema, new_root: Schema) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    for name in before:
        if name not in after:
            yield f"{path}/{name}: was taken away"
        else:
            yield from _compare(f"{path}/{name}", before[name], after[name], old_root, new_root)
    required_before, required_after = set(old.get("required", ())), set(new.get("required", ()))
    for name in required_after - required_before:
        yield f"{path}/{name}: is required now, and stored events may lack it"
    for name in required_before - required_after:
        yield f"{path}/{name}: is optional now, and readers rely on it"


def _alternatives(path: str, old: Schema, new: Schema, old_root: Schema, new_root: Schema) -> Iterator[str]:
    """``anyOf`` is only how pydantic writes an optional value: the alternatives must be the same, in order."""
    before, after = old.get("anyOf", ()), new.get("anyOf", ())
    if len(before) != len(after):
        yield f"{path or 'the event'}: had {len(before)} alternatives and has {len(after)}"
        return
    for old_one, new_one in zip(before, after, strict=True):
        yield from _compare(path, old_one, new_one, old_root, new_root)


def _resolved(schema: Schema, root: Schema) -> Schema:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: Schema = root
    for step in str(reference).removeprefix("#/").split("/"):
        found = found[step]
    return found
