"""Benchmarks: each is a command that prints JSON."""
