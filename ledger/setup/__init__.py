"""What the books are set up with: accounts, profiles, dimensions, fiscal years, tax groups."""
