"""Set-up of the books: accounts, profiles, dimensions, fiscal years, tax groups."""
