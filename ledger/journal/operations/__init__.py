"""The operations of the integration journal."""
