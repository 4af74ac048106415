"""What an administrator sets up of the agreement: companies, people, work, prices, contracts."""

from contracts.admin import agreement, entity, people, prices, work

__all__ = ["agreement", "entity", "people", "prices", "work"]
