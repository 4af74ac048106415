import dataclasses
import json

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder

from contracts.models import LegalEntity
from invoicing_site import explain
from invoicing_site.floor.errors import Refused
from invoicing_site.screens import remedies

KINDS = ["actual", "entry", "proforma", "invoice", "voucher"]


class Command(BaseCommand):
    help = "Explain an amount: entry, price, split, limit, invoice, voucher and payment."

    def add_arguments(self, parser):
        parser.add_argument("kind", choices=KINDS)
        parser.add_argument(
            "name", help="id of an actual; id or external id of an entry; otherwise the number"
        )
        parser.add_argument("--line", type=int, metavar="N", help="only this line of an invoice")
        parser.add_argument(
            "--entity", metavar="CODE", help="needed if several legal entities have that number"
        )
        parser.add_argument("--json", action="store_true", help="print the explanation as one JSON object")

    def handle(self, *, kind, name, line, entity, **options):
        if line is not None and kind != "invoice":
            raise CommandError("--line is for invoices only.")
        if entity:
            entity = LegalEntity.objects.filter(code=entity).first() or self._unknown(entity)
        try:
            explanation = explain.find(kind, name, entity=entity, line=line)
        except Refused as refusal:
            raise CommandError(remedies.in_plain_text(refusal)) from refusal
        if options["json"]:
            answer = dataclasses.asdict(explanation, dict_factory=_whole)
            self.stdout.write(json.dumps(answer, cls=DjangoJSONEncoder, indent=2, ensure_ascii=False))
        else:
            self.stdout.write("\n".join(explanation.lines()))

    def _unknown(self, code):
        raise CommandError(f"There is no legal entity {code}.")


def _whole(pairs):
    """The whole explanation, including costs: everybody who can run this command may see them."""
    return {name: value for name, value in pairs if name != "without_costs"}
