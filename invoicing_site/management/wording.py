"""Formats of amounts in the output of commands."""

from invoicing_site.floor import formatting, money


def plain(amount, currency) -> str:
    """The amount with its currency's decimals, for programs: 33333.33."""
    return str(money.rounded(amount, currency))


def spoken(amount, currency) -> str:
    """The amount with its currency, for people: NOK 33,333.33."""
    return formatting.currency_first(money.rounded(amount, currency), currency)
