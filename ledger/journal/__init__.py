"""The integration journal: what approved work becomes in the books, reviewed and posted."""
