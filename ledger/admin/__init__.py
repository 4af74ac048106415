"""Admin of the set-up of the books, and read-only admin of their records."""

from ledger.admin import books, setup

__all__ = ["books", "setup"]
