"""The verbs that write into the books."""
