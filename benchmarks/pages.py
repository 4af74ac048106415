"""All pages of a large company: how long the server takes for each, and how much of that is SQL.

    DATABASE_URL=postgres://user@host/any .venv/bin/python benchmarks/pages.py [--actuals 1000000]
                [--against NAME] [--only WORD …] [--table] [--worst 40]

Prints JSON, the slowest first. Creates the company of `large_company.py` in its own database, or asks the
database that `--keep NAME` left.
"""

import argparse
import datetime
import json
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import large_company  # noqa: E402 - see above

_TIMES, _SLOW, _GIVEN_UP = 5, 3, 60  # seconds: twice only, if slower; a statement that takes longer ends
_PEOPLE = {
    "P": "manager",
    "A": "accountant",
    "U": "auditor",
    "M": "member",
    "D": "administrator",
}


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--actuals", type=int, default=1_000_000, help="number of entries (1000000)")
    parser.add_argument("--against", metavar="NAME", help="a database of large_company.py, kept under a name")
    parser.add_argument("--only", nargs="*", default=[], metavar="WORD", help="names of addresses, or parts")
    parser.add_argument("--table", action="store_true", help="a table instead of JSON")
    parser.add_argument("--worst", type=int, help="only this number of pages")
    options = parser.parse_args(arguments)
    large_company.set_up()
    with large_company.there_is(options.against, options.actuals):
        report = measured(options.only)[: options.worst]
    if options.table:
        sys.stdout.write(_table(report))
    else:
        json.dump(report, sys.stdout, indent=1)
        sys.stdout.write("\n")
    return 0


def measured(only=()) -> list[dict]:
    """The figures of each page, the slowest first."""
    from django.urls import NoReverseMatch

    from tests.test_access import ADDRESSES, WHO, methods

    rows, pages = _Rows(), []
    _give_up_after(_GIVEN_UP)
    for name in sorted(ADDRESSES):
        letters = WHO.get(name, ("", None))[0]
        if "get" not in methods(name) or (only and not any(word in name for word in only)):
            continue
        readers = [letter for letter in "PA" if letter in letters] or [*letters[:1]]
        try:
            addresses = list(rows.addresses_of(name))
        except (LookupError, NoReverseMatch):
            continue  # no such row
        for label, address in addresses:
            for place, letter in enumerate(readers):
                pages += _of_page(label, address, _PEOPLE[letter], with_queries=place == 0)
    return sorted(pages, key=lambda page: -page["ms"])


def _of_page(label, address, person, *, with_queries):
    from django.test import Client

    from invoicing_site.models import User

    client = Client(raise_request_exception=False, SERVER_NAME="localhost")
    client.force_login(User.objects.get(username=person))
    found = [("", {})]
    if with_queries:
        found += _queries(client, address)
    for what, query in found:
        figures = _figures(client, address, query)
        if figures["status"] in (404, 403, 405):
            continue
        sys.stderr.write(f"{figures['ms']:>9.0f} ms  {label} {what}\n")
        yield {"page": f"{label} {what}".strip(), "as": person, **figures}


class _Rows:
    """The row of each page with one: the largest or newest that there is."""

    def addresses_of(self, name):
        from django.urls import reverse

        from tests.test_access import WHO

        row = WHO[name][1]
        if row is None:
            return [(name, reverse(name))]
        if row == "explain":
            kinds = ("actual", "entry", "detail", "proforma", "invoice", "line", "voucher")
            return [(f"{name} {kind}", reverse(name, args=[kind, self._key(kind)])) for kind in kinds]
        if row == "line":
            contract = self._contract()
            line = self._first("contracts.ContractLine", contract=contract)
            return [(name, reverse(name, args=[contract, line]))]
        return [(name, reverse(name, args=[self._key(row)]))]

    def _key(self, row):
        return getattr(self, f"_{row}", lambda: self._newest(row))()

    def _newest(self, row):
        model, where = {
            "entry": ("actuals.Entry", {"status": "approved", "transaction_class": "time"}),
            "approved_entry": ("actuals.Entry", {"status": "approved", "transaction_class": "time"}),
            "draft_entry": ("actuals.Entry", {"status": "draft", "created_by__username": "member"}),
            "submitted_entry": ("actuals.Entry", {"status": "submitted"}),
            "action": ("backlog.BacklogAction", {}),
            "milestone_item": (
                "backlog.BacklogItem",
                {"milestone_part__isnull": False, "status": "not_ready"},
            ),
            "run": ("proforma.InvoiceRun", {}),
            "journal": ("ledger.IntegrationJournal", {"status": "posted"}),
            "voucher": ("ledger.Voucher", {"kind": "journal"}),
            "period": ("ledger.FiscalPeriod", {"status": "open"}),
            "year": ("ledger.FiscalYear", {}),
            "event": ("invoicing_site.AuditEvent", {}),
            "actual": ("actuals.Actual", {"type": "billed"}),
            "line": ("ledger.InvoiceLine", {}),
        }[row]
        return self._first(model, **where)

    def _first(self, label, order="-pk", **where):
        from django.apps import apps

        model = apps.get_model(label)
        return _there(model.objects.filter(**where).order_by(order).values_list("pk", flat=True).first())

    def _most(self, label, by, **where):
        """The key that most rows have in a column."""
        from django.apps import apps
        from django.db.models import Count

        rows = apps.get_model(label).objects.filter(**where).order_by().values(by).annotate(n=Count("pk"))
        return _there(rows.order_by("-n", by).values_list(by, flat=True).first())

    def _contract(self):
        return self._most("backlog.BacklogItem", "contract", contract__entity__code="NO1")

    def _project(self):
        return self._most("actuals.Entry", "project", entity__code="NO1")

    def _customer(self):
        return self._most("ledger.CustomerInvoice", "customer", entity__code="NO1")

    def _proforma(self):
        return self._most(
            "proforma.LineDetail",
            "line__proforma",
            line__proforma__status="draft",
            line__proforma__entity__code="NO1",
        )

    def _detail(self):
        return self._first("proforma.LineDetail", line__proforma=self._proforma())

    def _proposal(self):
        return self._most("ledger.ProposalLine", "proposal", proposal__status="open")

    def _invoice(self):
        return self._most("ledger.InvoiceLine", "invoice", invoice__entity__code="NO1")

    def _account(self):
        return self._most("ledger.LedgerEntry", "account", voucher__entity__code="NO1")

    def _day(self):
        from django.utils import timezone

        day = timezone.localdate() - datetime.timedelta(days=14)
        return (day - datetime.timedelta(days=day.weekday())).isoformat()


def _there(key):
    if key is None:
        raise LookupError
    return key


def _queries(client, address):
    """The last page of a list, a search with and without hits, and each of its filters."""
    from django import forms
    from django.test.utils import setup_test_environment, teardown_test_environment

    setup_test_environment()
    try:
        context = client.get(address).context or {}
        pages = context.get("paginator") or getattr(context.get("page"), "paginator", None)
        table = context.get("table")
        pages = getattr(table, "paginator", None) or pages
        filterset = context.get("filter")
        fields = dict(filterset.form.fields) if filterset else {}
    except Exception:  # reported when the page is measured
        return
    finally:
        teardown_test_environment()
    if pages and pages.num_pages > 1:
        yield "last page", {"page": pages.num_pages}
    for name, field in fields.items():
        if name == "q":
            yield "search", {name: "review"}
            yield "search without hits", {name: "nobody wrote this"}
        elif isinstance(field, forms.ModelChoiceField):
            if (first := field.queryset.first()) is not None:
                yield f"filter {name}", {name: first.pk}
        elif hasattr(field, "choices"):
            choices = [key for key, _ in field.choices if key]
            if choices:
                yield f"filter {name}", {name: choices[0]}
        elif hasattr(field.widget, "suffixes"):
            yield f"filter {name}", {f"{name}_{suffix}": _month_ago() for suffix in field.widget.suffixes}
        else:
            value = _month_ago() if isinstance(field, forms.DateField) else "1000"
            yield f"filter {name}", {name: True if isinstance(field, forms.BooleanField) else value}


def _give_up_after(seconds):
    """A slow page must not stop the others."""
    from django.db import connection

    connection.close()
    connection.settings_dict["OPTIONS"]["options"] += f" -c statement_timeout={seconds}s"


def _month_ago():
    from django.utils import timezone

    return (timezone.localdate() - datetime.timedelta(days=30)).isoformat()


def _figures(client, address, query):
    best = None
    for turn in range(_TIMES):
        if turn > 1 and best["ms"] > _SLOW * 1000:
            break
        found = _once(client, address, query)
        if best is None or found["ms"] < best["ms"] or turn == 1:  # the first one only warms up
            best = found
        if found["ms"] > 20_000:
            break
    return best


def _once(client, address, query):
    from django.db import transaction

    with _counted() as sql:
        begun = time.perf_counter()
        with transaction.atomic():
            response = client.get(address, query)
            size = sum(map(len, response)) if response.streaming else len(response.content)
            transaction.set_rollback(True)
        taken = time.perf_counter() - begun
    return {
        "ms": round(taken * 1000, 1),
        "sql_ms": round(sum(sql) * 1000, 1),
        "queries": len(sql),
        "slowest_sql_ms": round(max(sql, default=0) * 1000, 1),
        "bytes": size,
        "status": response.status_code,
    }


@contextmanager
def _counted():
    from django.db import connection

    seconds = []

    def timed(execute, *args):
        begun = time.perf_counter()
        try:
            return execute(*args)
        finally:
            seconds.append(time.perf_counter() - begun)

    with connection.execute_wrapper(timed), mock.patch("invoicing_site.floor.jobs._send"):
        yield seconds


def _table(report):
    lines = [
        "| page | as | ms | SQL ms | queries | KB | status |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for each in report:
        lines.append(
            f"| {each['page']} | {each['as']} | {each['ms']:.0f} | {each['sql_ms']:.0f} | {each['queries']} "
            f"| {each['bytes'] / 1000:.0f} | {each['status']} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
