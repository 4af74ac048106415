from invoicing_site.floor.errors import Refused
from invoicing_site.floor.wording import counted
from invoicing_site.management.base import EntityCommand
from invoicing_site.screens import remedies
from proforma import duplicates, operations, warnings
from proforma.models import ProformaInvoice


class Command(EntityCommand):
    help = (
        "Confirm proforma invoices: drafts and proformas in review become final and get an invoice proposal."
    )

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument("--number", action="append", help="number of a proforma; default: all open ones")

    def act(self, entity, by, on, options):
        proformas = ProformaInvoice.objects.open().filter(entity=entity)
        proformas = self.chosen(proformas, "number", options["number"])
        proformas = list(proformas.select_related("entity").order_by("pk"))
        ahead, twice = warnings.in_advance(proformas), duplicates.maybe_twice(proformas)
        confirmed, refused = [], {}
        for proforma in proformas:
            try:
                confirmed.append(operations.confirm(proforma, by=by, on=on).number)
            except Refused as refusal:
                refused[proforma.number] = remedies.in_plain_text(refusal)
        found = {
            proforma.number: [
                {"code": reason.code, "message": reason.sentence}
                for reason in (
                    *([ahead[pk]] if pk in ahead else []),
                    *(each.reason for each in twice.get(pk, ())),
                )
            ]
            for proforma in proformas
            if (pk := proforma.pk) in ahead or pk in twice
        }
        return {"confirmed": confirmed, "refused": refused, "warnings": found}

    def lines(self, answer):
        yield f"{counted(len(answer['confirmed']), 'proforma invoice')} confirmed."
        for number, sentence in answer["refused"].items():
            yield f"{number}: {sentence}"
        for number, found in answer["warnings"].items():
            yield from (f"{number}: {each['message']}" for each in found)
