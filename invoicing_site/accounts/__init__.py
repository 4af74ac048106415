"""Signing in, its limits, and password links."""
