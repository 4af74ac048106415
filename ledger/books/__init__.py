"""The books: vouchers, their chain of hashes, and fiscal periods."""
