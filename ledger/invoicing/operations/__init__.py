"""The operations of an invoice proposal, in the order of its life."""
