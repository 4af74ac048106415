"""The queue of the confirmed proformas that wait for an invoice proposal (PRO-7)."""

from collections.abc import Iterable
from functools import partial

from invoicing_site.floor import queues
from invoicing_site.floor.querysets import write_rows
from proforma.models import ProformaInvoice, ProformaToPropose


def wait_for_proposal(proformas: Iterable[ProformaInvoice]) -> None:
    """Queue these proformas, in the transaction that confirms them."""
    write_rows(
        ProformaToPropose,
        [ProformaToPropose(proforma_id=each.pk, entity_id=each.entity_id) for each in proformas],
    )


leave_queue = partial(queues.leave, ProformaToPropose)
keep_waiting = partial(queues.keep_waiting, ProformaToPropose)
