"""Closing a fiscal period: what is still open in it, and opening, holding and closing it."""
