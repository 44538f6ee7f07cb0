"""What is given back of an award's parts where goods are not back after all: the inverse of a return. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from services.accrual.domain.award_parts import KnownPart, PartKey, TakenPart


def give_back_parts(parts: Sequence[KnownPart], kept: Mapping[PartKey, int]) -> tuple[TakenPart, ...]:
    """What no longer counts as taken of each part of an award of which ``kept`` is earned.

    By type, what is kept less what was left; it goes to those parts that have become more, and never to more than was
    taken of them. A part that is gone stays so.
    """
    given: list[TakenPart] = []
    gone = {part.key for part in parts if part.is_gone}
    for point_type in dict.fromkeys(part.key.point_type for part in parts):
        of_type = [part for part in parts if part.key.point_type == point_type and not part.is_gone]
        left = sum(part.points - part.taken_back for part in of_type)
        earned = sum(points for key, points in kept.items() if key.point_type == point_type and key not in gone)
        given += _to_those_that_grow(of_type, kept, max(0, earned - left))
    return tuple(sorted(given))


def limited_to(own_points: int, parts: Iterable[TakenPart]) -> tuple[TakenPart, ...]:
    """The same parts with so many of the programme's own points in all at most, the first ones first."""
    limited: list[TakenPart] = []
    for part in parts:
        points = part.points if part.point_type is not None else min(part.points, own_points)
        if part.point_type is None:
            own_points -= points
        if points:
            limited.append(part._replace(points=points))
    return tuple(limited)


def _to_those_that_grow(parts: Sequence[KnownPart], kept: Mapping[PartKey, int], points: int) -> Iterable[TakenPart]:
    for part in sorted(parts, key=lambda part: (part.key.wait is not None, part.number)):
        grows = kept.get(part.key, 0) - (part.points - part.taken_back)
        given = max(0, min(points, grows, part.taken_back))
        if given:
            points -= given
            yield TakenPart(part.number, part.key.point_type, given)
