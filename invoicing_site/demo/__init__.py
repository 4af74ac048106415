"""The demo company: a year of an invented consultancy, made by the same operations that people use.

Two companies, their contracts and their people are declared in `catalogue`; `setting` and `agreements` set
them up, `work` enters what is done, `year` bills it month by month, and `today` leaves the last weeks in
every state that work can be in. Dates are counted from today; the same day always gives the same demo.
"""

from django.db import transaction

from actuals.models import Actual, Entry
from backlog.models import BacklogItem
from contracts.models import LegalEntity, ProjectContract
from invoicing_site.demo import agreements, setting, today, work, year
from invoicing_site.demo.catalogue import COMPANIES, DEALS, PASSWORD, SMALL, USERS
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import analyze
from invoicing_site.models import Message, User
from ledger.models import CustomerInvoice, InvoiceProposal, JournalLine, LedgerEntry, Voucher
from proforma.models import LineDetail, ProformaInvoice

__all__ = ["PASSWORD", "USERS", "load"]

_COUNTED = (
    ("legal entities", LegalEntity),
    ("contracts", ProjectContract),
    ("entries", Entry),
    ("actuals", Actual),
    ("proforma invoices", ProformaInvoice),
    ("posted invoices", CustomerInvoice),
    ("vouchers", Voucher),
)


@transaction.atomic
def load(*, small: bool = False) -> dict[str, int]:
    """Move the demo company into an empty database, whole or not at all, and count what was made.

    Refused when anybody or any company is there already. `small` tells the story of a few weeks with fewer
    contracts and hours. One transaction, so that a demo that was interrupted leaves the database empty for
    the next try. Documents are not drawn here: that takes long, and the sweep draws what is missing.
    """
    if User.objects.exists() or LegalEntity.objects.exists():
        raise Refused("NOT-EMPTY")
    bells = transaction.get_connection().run_on_commit
    before = len(bells)
    users = setting.make_users()
    for company in COMPANIES:
        world = setting.settle(company, users, months=2 if small else 12, every=6 if small else 1)
        deals = DEALS[company.code]
        agreements.agree(world, [deal for deal in deals if not small or deal.code in SMALL])
        work.enter(world)
        year.pass_months(world)
        today.leave_open(world)
    analyze(Entry, Actual, BacklogItem, LineDetail, JournalLine, LedgerEntry, Voucher, InvoiceProposal)
    # What the doorbells ask for is done, but for the documents; nobody has to be rung.
    del bells[before:]
    Message.objects.all().delete()
    return {name: model.objects.count() for name, model in _COUNTED}
