"""The documents of a posted invoice: shown (words and figures), drawn (HTML, PDF), kept (operations)."""
