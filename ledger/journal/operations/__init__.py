"""The verbs of the integration journal."""
