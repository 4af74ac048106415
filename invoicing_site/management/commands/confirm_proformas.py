from invoicing_site.commands import EntityCommand
from proforma import operations
from proforma.models import ProformaInvoice


class Command(EntityCommand):
    help = "Confirm proforma invoices: drafts and those in review become final and go to the accountant."

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument("--number", action="append", help="a proforma's number; by default all open ones")

    def act(self, entity, by, on, options):
        proformas = ProformaInvoice.objects.filter(entity=entity).exclude(
            status=ProformaInvoice.Status.CONFIRMED
        )
        if options["number"]:
            proformas = proformas.filter(number__in=options["number"])
        done = operations.confirm_many(proformas.order_by("pk"), by=by, on=on)
        return {
            "confirmed": [proforma.number for proforma, refusal in done if refusal is None],
            "refused": {proforma.number: str(refusal) for proforma, refusal in done if refusal is not None},
        }

    def told(self, answer):
        yield f"{len(answer['confirmed'])} proforma invoices confirmed."
        for number, sentence in answer["refused"].items():
            yield f"{number}: {sentence}"
