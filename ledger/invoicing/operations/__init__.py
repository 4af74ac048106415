"""The operations of an invoice proposal, from creation to posting."""
