"""Shared basics of all rooms; imports no room."""
