"""Repeatable measurements: each a command that prints JSON."""
