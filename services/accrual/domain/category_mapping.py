"""What a partner's own categories count as in the programme's tree, which articles earn nothing, and since when. Pure.

A mapping is a row of versions, numbered one after the other for each partner. A receipt is judged by what was in force
when it occurred, among the versions that were known when it was decided; that version is kept with the award, so that a
return, and whoever asks for the trace, meets the same categories again.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple


class MappingVersion(NamedTuple):
    """One category of a partner counts as the last of ``path`` from a time on. No path: it counts as itself again."""

    version: int
    partner_category: str
    path: tuple[str, ...]
    in_force_from: datetime


class ExclusionVersion(NamedTuple):
    """An article of a partner earns nothing from a time on, or earns again."""

    version: int
    sku: str
    is_excluded: bool
    in_force_from: datetime


class PartnerMapping:
    """All versions of one partner, without a hole: ``version`` is the last of 1, 2, 3, …"""

    def __init__(self, versions: Iterable[MappingVersion | ExclusionVersion]) -> None:
        self.version = 0
        self._newest_first: dict[str, list[MappingVersion]] = {}
        self._exclusions_newest_first: dict[str, list[ExclusionVersion]] = {}
        for one in sorted(versions, key=lambda version: version.version):
            if one.version != self.version + 1:
                continue  # what comes after a hole waits until the hole is filled
            self.version = one.version
            if isinstance(one, ExclusionVersion):
                self._exclusions_newest_first.setdefault(one.sku, []).insert(0, one)
            else:
                self._newest_first.setdefault(one.partner_category, []).insert(0, one)

    def path_of(self, category: str, moment: datetime, version: int) -> tuple[str, ...] | None:
        """The path in force at ``moment`` among the first ``version`` versions; None where the category is unmapped."""
        for one in self._newest_first.get(category, ()):
            if one.version <= version and one.in_force_from <= moment:
                return one.path or None
        return None

    @property
    def names_articles(self) -> bool:
        """Whether anything was ever said of articles; of most partners nothing is."""
        return bool(self._exclusions_newest_first)

    def is_excluded(self, sku: str, moment: datetime, version: int) -> bool:
        """Whether an article earns nothing at ``moment``, by the first ``version`` versions."""
        for one in self._exclusions_newest_first.get(sku, ()):
            if one.version <= version and one.in_force_from <= moment:
                return one.is_excluded
        return False


class Categories(NamedTuple):
    """How one receipt's categories and articles are read. ``version`` is 0 where its partner has no mapping."""

    mapping: PartnerMapping | None
    moment: datetime | None
    version: int

    def paths_of(self, categories: Sequence[str | None]) -> tuple[tuple[str, ...], ...]:
        """What lines of these categories count as, from the root of the tree down; unmapped, as themselves."""
        mapping, moment = self.mapping, self.moment
        if mapping is None or moment is None:
            return tuple([() if category is None else (category,) for category in categories])
        return tuple(
            [
                () if category is None else mapping.path_of(category, moment, self.version) or (category,)
                for category in categories
            ]
        )

    @property
    def names_articles(self) -> bool:
        """Whether anything was ever said of the partner's articles."""
        return self.mapping is not None and self.mapping.names_articles

    def excluded_of(self, skus: Iterable[str]) -> frozenset[str]:
        """Which of these articles earn nothing."""
        mapping, moment = self.mapping, self.moment
        if mapping is None or moment is None:
            return frozenset()
        return frozenset(sku for sku in skus if mapping.is_excluded(sku, moment, self.version))


UNMAPPED = Categories(None, None, 0)


def categories_at(mapping: PartnerMapping | None, moment: datetime, version: int | None = None) -> Categories:
    """How a receipt of ``moment`` is read; ``version`` is the one that it was judged by, None for the newest."""
    if mapping is None or version == 0:
        return UNMAPPED
    return Categories(mapping, moment, mapping.version if version is None else version)
