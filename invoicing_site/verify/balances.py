"""Kept balances compared with the entries and transactions that they sum."""

from contracts.models import Customer, LegalEntity, Project
from invoicing_site.floor.wording import counted
from invoicing_site.verify.finding import Finding, amount, where
from ledger.books import balances
from ledger.models import Account, FiscalPeriod, Voucher

_NAMED = {"account": Account, "project": Project, "customer": Customer}


def kept_since(entity: LegalEntity, position: int):
    """KEPT: the stored balances of the fiscal periods of the vouchers behind a position."""
    later = Voucher.objects.filter(entity=entity, position__gt=position).order_by()
    yield from kept(entity, set(later.values_list("period", flat=True).distinct()))


def kept(entity: LegalEntity, in_periods=None):
    """KEPT: each stored balance has the number and the sums of its rows."""
    periods = {row.pk: str(row) for row in FiscalPeriod.objects.filter(entity=entity)}
    for found in balances.differences(entity, in_periods):
        key = dict(zip(found.kind.key, found.key, strict=True))
        names = [
            f"{name} {_NAMED[name].objects.filter(pk=value).first() or value}"
            for name, value in key.items()
            if name in _NAMED and value is not None
        ]
        period = periods.get(key["period"], key["period"])
        differ = [
            f"{name.replace('_', ' ')} {amount(own)} instead of {amount(right)}"
            for name, own, right in zip(found.kind.columns, found.kept[1:], found.rows[1:], strict=True)
            if own != right
        ]
        if found.kept[0] != found.rows[0]:
            differ.append(f"{counted(int(found.kept[0]), 'row')} instead of {int(found.rows[0])}")
        yield Finding(
            "KEPT",
            entity.code,
            names[0].partition(" ")[2] if names else str(period),
            where(found.kind.model, found.balance) if found.balance else "",
            f"The stored balance of {' and '.join(names) or 'the vouchers'} in {period} differs from its "
            f"rows: {', '.join(differ)}. The command rebuild_balances corrects it.",
        )
