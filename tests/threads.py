"""Helpers for tests with threads."""


def ended(*threads, within=60):
    """Wait for the threads; the test fails if one still runs."""
    for thread in threads:
        thread.join(within)
    still = [thread.name for thread in threads if thread.is_alive()]
    assert not still, f"Still running after {within} seconds: {', '.join(still)}"
