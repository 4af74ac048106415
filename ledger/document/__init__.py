"""The documents of a posted invoice: `shown` (content), `drawing` (HTML, PDF), `operations` (storing)."""
