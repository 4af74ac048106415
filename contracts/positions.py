"""The role and unit of a resource on a given day (APP-9)."""

import datetime
from bisect import bisect_right
from collections.abc import Iterable

from contracts.models import Resource, ResourcePosition


class PositionBook:
    """The positions of some resources, read in one query and looked up by day."""

    def __init__(self, positions: Iterable[ResourcePosition]):
        self._days: dict[int, list[datetime.date]] = {}
        self._rows: dict[int, list[ResourcePosition]] = {}
        for row in sorted(positions, key=lambda row: row.valid_from):
            self._days.setdefault(row.resource_id, []).append(row.valid_from)
            self._rows.setdefault(row.resource_id, []).append(row)

    @classmethod
    def load(cls, resources: Iterable[int]) -> "PositionBook":
        return cls(ResourcePosition.objects.filter(resource__in=set(resources)))

    def on(self, resource: Resource, day: datetime.date) -> tuple[int | None, int | None]:
        """The keys of the role and the unit of the latest position that began on or before that day.

        Before the first position, or without positions, they are those of the resource itself.
        """
        place = bisect_right(self._days.get(resource.pk, []), day)
        row = self._rows[resource.pk][place - 1] if place else resource
        return row.role_id, row.unit_id
