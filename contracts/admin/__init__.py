"""Admin of legal entities, people, work, prices and contracts."""

from contracts.admin import agreement, entity, people, prices, work

__all__ = ["agreement", "entity", "people", "prices", "work"]
