"""The integration journal: the actuals of approved work are reviewed and posted to the books."""
