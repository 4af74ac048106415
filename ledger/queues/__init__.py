"""The queues of what waits for its next step: compared with the rows that wait, and repaired."""
