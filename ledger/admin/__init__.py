"""The set-up of the books, and what stands in them."""

from ledger.admin import books, setup

__all__ = ["books", "setup"]
