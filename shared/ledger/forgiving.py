"""What is lacking of one purchase and is so little that nobody shall owe it. Pure."""

from dataclasses import dataclass, field
from typing import NamedTuple


class Forgiving(NamedTuple):
    """Of what a purchase gave nobody owes what is lacking while that stays below ``below``, all in all: ``lacked`` of
    it were lacking before this posting. ``purchase`` tells whose commands these are, among those of one posting.
    """

    purchase: bytes
    below: int
    lacked: int


@dataclass(slots=True)
class Lacking:
    """What turned out to be lacking while commands were decided, by purchase."""

    _points: dict[bytes, int] = field(default_factory=dict)

    def is_forgiven(self, forgiving: Forgiving | None, points: int) -> bool:
        """Whether nobody owes these ``points``."""
        return forgiving is not None and self._all_in_all(forgiving) + points < forgiving.below

    def add(self, forgiving: Forgiving | None, points: int) -> None:
        """Count what was lacking, forgiven or not."""
        if forgiving is not None and points:
            self._points[forgiving.purchase] = self._all_in_all(forgiving) + points

    def _all_in_all(self, forgiving: Forgiving) -> int:
        return self._points.get(forgiving.purchase, forgiving.lacked)
