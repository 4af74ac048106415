"""Shared parts of the commands: legal entity, user, date, and output."""

import datetime
import json
from argparse import ArgumentTypeError
from difflib import get_close_matches

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder

from contracts.models import LegalEntity
from invoicing_site.floor import days, formatting
from invoicing_site.floor.errors import Refused
from invoicing_site.models import User
from invoicing_site.screens import remedies

# The number of known names that are suggested for an unknown one.
_SUGGESTED = 10


def day(text):
    """A date of the command line, such as 2026-10-31."""
    day = datetime.date.fromisoformat(text)
    if reason := days.why_not(day):
        raise ArgumentTypeError(reason.sentence)
    return day


def in_json(reason) -> dict:
    """A reason for `--json`: its code, its values and its sentence."""
    return {"code": reason.code, "params": reason.as_json()["params"], "reason": reason.sentence}


class EntityCommand(BaseCommand):
    """A command that acts in the books of one legal entity.

    Subclasses define `act(entity, by, on, options)`, which returns the data of `--json`, and `lines`, which
    returns it as text. A refusal ends the command with its sentence and exit code 1.
    """

    def add_arguments(self, parser):
        parser.add_argument("--entity", help="code of the legal entity; needed if there are several")
        parser.add_argument("--by", help="user name of the acting person; default: the system")
        parser.add_argument("--on", type=day, help="date of the action, such as 2026-10-31; default: today")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args, **options):
        entity = self.the_entity(options["entity"])
        by = self.the_user(options["by"])
        on = options["on"] or entity.today()
        if on > entity.today():
            raise CommandError(
                f"{formatting.day(on)} is in the future: at {entity}, "
                f"today is {formatting.day(entity.today())}."
            )
        try:
            answer = self.act(entity, by, on, options)
        except Refused as refusal:
            raise CommandError(remedies.in_plain_text(refusal)) from refusal
        if options["json"]:
            self.stdout.write(json.dumps(answer, cls=DjangoJSONEncoder, indent=2, ensure_ascii=False))
        else:
            for line in self.lines(answer):
                self.stdout.write(line)

    def the_entity(self, code):
        if code:
            entity = LegalEntity.objects.filter(code=code).first()
            if entity is None:
                known = ", ".join(LegalEntity.objects.values_list("code", flat=True)) or "none"
                raise CommandError(f"There is no legal entity “{code}”. Known: {known}.")
            return entity
        entities = list(LegalEntity.objects.all()[:2])
        if len(entities) != 1:
            known = ", ".join(LegalEntity.objects.values_list("code", flat=True)) or "none"
            raise CommandError(f"Choose a legal entity with --entity. Known: {known}.")
        return entities[0]

    def the_user(self, name):
        if not name:
            return None
        user = User.objects.filter(username=name, is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user “{name}”.")
        return user

    def chosen(self, rows, field, values):
        """The rows that are named on the command line, or all rows if none is named.

        An unknown name ends the command and shows similar names.
        """
        if not values:
            return rows
        known = list(rows.order_by(field).values_list(field, flat=True))
        for value in values:
            if value not in known:
                near = get_close_matches(value, known, n=_SUGGESTED) or known[:_SUGGESTED]
                more = ", …" if len(known) > len(near) else ""
                raise CommandError(
                    f"There is no {rows.model._meta.verbose_name} “{value}” to act on. "
                    f"Known: {', '.join(near) or 'none'}{more}."
                )
        return rows.filter(**{f"{field}__in": values})

    def act(self, entity, by, on, options):
        raise NotImplementedError

    def lines(self, answer):
        raise NotImplementedError
