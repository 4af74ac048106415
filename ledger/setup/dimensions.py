"""Dimensions: the defaults of journal lines, and the stored combinations (JRN-3)."""

from collections import defaultdict
from collections.abc import Iterable

from contracts.models import LegalEntity
from invoicing_site.floor import transaction
from ledger.models import DefaultDimension, DimensionSet, DimensionSetValue, DimensionValue


class DefaultDimensions:
    """The dimension sets of projects and contract lines; missing ones are created."""

    def __init__(self, by_project: dict[int, DimensionSet], by_line: dict[int, DimensionSet]):
        self._by_project = by_project
        self._by_line = by_line

    @classmethod
    def load(
        cls, entity: LegalEntity, project_ids: Iterable[int] = (), line_ids: Iterable[int] = ()
    ) -> "DefaultDimensions":
        """For these projects and contract lines, in a fixed number of queries."""
        values = defaultdict(set)
        rows = DefaultDimension.objects.select_related("value")
        for row in rows.filter(project__in=set(project_ids)):
            values["project", row.project_id].add(row.value)
        for row in rows.filter(contract_line__in=set(line_ids)):
            values["line", row.contract_line_id].add(row.value)
        sets = dimension_sets(entity, values.values())
        found = {owner: sets[_key(chosen)] for owner, chosen in values.items()}
        return cls(
            {key: dimensions for (kind, key), dimensions in found.items() if kind == "project"},
            {key: dimensions for (kind, key), dimensions in found.items() if kind == "line"},
        )

    def of(
        self, *, project_id: int | None, contract_line_id: int | None, transaction_class: str
    ) -> DimensionSet | None:
        """The set of the contract line for milestones, of the project for all others."""
        if transaction_class == "milestone":
            return self._by_line.get(contract_line_id)
        return self._by_project.get(project_id)


def dimension_set(entity: LegalEntity, values: Iterable[DimensionValue]) -> DimensionSet | None:
    """The set of the entity with exactly these values, at most one per dimension; None for no values."""
    values = set(values)
    return dimension_sets(entity, [values]).get(_key(values))


@transaction.atomic
def dimension_sets(
    entity: LegalEntity, combinations: Iterable[Iterable[DimensionValue]]
) -> dict[str, DimensionSet]:
    """The sets for these combinations by key; missing ones are created, also if others create them too."""
    needed = {_key(values): set(values) for values in combinations}
    needed.pop("", None)
    present = DimensionSet.objects.filter(entity=entity, key__in=needed)
    sets = {row.key: row for row in present}
    missing = [key for key in needed if key not in sets]
    if missing:
        for key in missing:
            dimensions = [value.dimension_id for value in needed[key]]
            assert len(set(dimensions)) == len(dimensions), "A set has at most one value of each dimension."
        DimensionSet.objects.bulk_create(
            [DimensionSet(entity=entity, key=key) for key in missing], ignore_conflicts=True
        )
        sets = {row.key: row for row in present.all()}
        DimensionSetValue.objects.bulk_create(
            [
                DimensionSetValue(set=sets[key], dimension_id=value.dimension_id, value=value)
                for key in missing
                for value in sorted(needed[key], key=lambda value: value.pk)
            ],
            ignore_conflicts=True,
        )
    return sets


def _key(values) -> str:
    return ",".join(str(key) for key in sorted(value.pk for value in values))


def dimensions_in_words(dimensions):
    """The values of a set whose values were prefetched: "D1 Sales, R2 North"."""
    if dimensions is None:
        return ""
    return ", ".join(str(row.value) for row in dimensions.values.all())
