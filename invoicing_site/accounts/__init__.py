"""Signing in, its limits, and links to choose a password."""
