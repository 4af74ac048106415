"""The values that price an entry: role, unit and legal entity of the work (APP-9)."""

from actuals.models import Entry
from contracts.models import Resource
from contracts.positions import PositionBook


def fix_pricing(entries: list[Entry]) -> list[Entry]:
    """Set the values that price entries being submitted: role, unit and legal entity on their day (APP-9).

    The role is the entry's own or else the resource's. Nothing is saved.
    """
    keys = {entry.resource_id for entry in entries if entry.resource_id}
    resources, positions = Resource.objects.in_bulk(keys), PositionBook.load(keys)
    for entry in entries:
        resource = resources.get(entry.resource_id)
        role, unit = positions.on(resource, entry.date) if resource else (None, None)
        entry.priced_role_id = entry.role_id or role
        entry.priced_unit_id = unit
        entry.priced_company_id = resource and resource.entity_id
    return entries
