"""The demo company: one year of an invented consultancy, created with the operations that users use.

Two companies, their contracts and their users are declared in `catalogue`; `setting` and `agreements` create
them, `work` enters the work, `year` bills it month by month, and `today` leaves the last weeks in every state
that work can have. Dates are relative to today; the same day always gives the same demo.
"""

from django.db import transaction

from actuals.models import Actual, Entry
from backlog.models import BacklogItem
from contracts.models import LegalEntity, ProjectContract
from invoicing_site.demo import agreements, setting, today, work, year
from invoicing_site.demo.catalogue import COMPANIES, DEALS, PASSWORD, SMALL, USERS
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import analyze
from invoicing_site.models import Job, User
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
    """Create the demo company in an empty database, in one transaction, and return the counts of its rows.

    Refused if the database has a user or a company. `small` creates a few weeks with fewer contracts and
    hours. If the command is interrupted, the database stays empty. Documents are not created here, because
    that takes long: the sweep creates them.
    """
    if User.objects.exists() or LegalEntity.objects.exists():
        raise Refused("NOT-EMPTY")
    after_commit = transaction.get_connection().run_on_commit
    before = len(after_commit)
    users = setting.make_users()
    for company in COMPANIES:
        world = setting.settle(company, users, months=2 if small else 12, every=6 if small else 1)
        deals = DEALS[company.code]
        agreements.agree(world, [deal for deal in deals if not small or deal.code in SMALL])
        work.enter(world)
        year.pass_months(world)
        today.leave_open(world)
    analyze(Entry, Actual, BacklogItem, LineDetail, JournalLine, LedgerEntry, Voucher, InvoiceProposal)
    # All requested jobs are done here, except the documents, which the sweep creates.
    del after_commit[before:]
    Job.objects.all().delete()
    return {name: model.objects.count() for name, model in _COUNTED}
