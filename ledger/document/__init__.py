"""The documents of a posted invoice: what is shown, how it is drawn, and how it is kept."""
