"""Things of a company that are named on the command line, and amounts as it prints them."""

from difflib import get_close_matches

from django.core.management.base import CommandError

from invoicing_site import money

# So many known codes are suggested for one that is not.
_SUGGESTED = 10


def named(model, entity, codes, *, key="code") -> list:
    """The entity's rows with these codes, in their order; one that is not known ends the command, with the
    nearest known ones."""
    rows = {getattr(row, key): row for row in model.objects.filter(**{"entity": entity, f"{key}__in": codes})}
    for code in codes:
        if code not in rows:
            known = list(model.objects.filter(entity=entity).order_by(key).values_list(key, flat=True))
            near = get_close_matches(code, known, n=_SUGGESTED) or known[:_SUGGESTED]
            more = ", …" if len(known) > len(near) else ""
            told = f"{', '.join(near) or 'none'}{more}"
            raise CommandError(f"{entity} has no {model._meta.verbose_name} “{code}”. Known: {told}.")
    return list(dict.fromkeys(rows[code] for code in codes))


def plain(amount, currency) -> str:
    """The amount with its currency's decimals, for programs: 33333.33."""
    return str(money.rounded(amount, currency))


def spoken(amount, currency) -> str:
    """The amount with its currency, for people: NOK 33,333.33."""
    return f"{currency} {money.rounded(amount, currency):,}"


def counted(n, word) -> str:
    """1 contract, 2 contracts."""
    return f"{n:,} {word}{'' if n == 1 else 's'}"
