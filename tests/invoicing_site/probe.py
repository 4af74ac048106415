"""A table with one column of every type, created inside the transaction of a test and rolled back with it."""

import contextlib

from django.db import connection, models
from django.db.backends.ddl_references import Statement
from django.test.utils import isolate_apps

from invoicing_site.floor import fields
from invoicing_site.floor.querysets import LockingQuerySet
from invoicing_site.models import User


@contextlib.contextmanager
def probe_model():
    with isolate_apps("invoicing_site"):

        class Probe(models.Model):
            text = models.TextField(default="made")
            note = models.CharField(max_length=50, null=True)  # noqa: DJ001 - NULL is tested
            currency = fields.CurrencyField(default="EUR")
            amount = fields.AmountField(default=0)
            price = fields.PriceField(null=True)
            number = models.IntegerField(null=True)
            is_done = models.BooleanField(default=False)
            day = models.DateField(null=True)
            clock = models.TimeField(null=True)
            length = models.DurationField(null=True)
            seen_at = models.DateTimeField(null=True)
            made_at = models.DateTimeField(auto_now_add=True)
            changed_on = models.DateField(auto_now=True)
            token = models.UUIDField(null=True)
            content = models.BinaryField(null=True)
            address = models.GenericIPAddressField(null=True)
            detail = models.JSONField(default=dict, null=True)
            user = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
            parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")
            twice = models.GeneratedField(
                expression=models.F("number") * 2, output_field=models.IntegerField(), db_persist=True
            )

            objects = LockingQuerySet.as_manager()

            class Meta:
                app_label = "invoicing_site"

            def __str__(self):
                return self.text

        create_table(Probe)
        yield Probe


def create_table(model):
    # Not as a context manager: inside a transaction SQLite refuses the schema editor, but not its SQL.
    editor = connection.schema_editor(atomic=False)
    editor.deferred_sql = []
    sql, params = editor.table_sql(model)
    with connection.cursor() as cursor:
        for statement in (sql, *editor.deferred_sql):
            if not isinstance(statement, Statement) or connection.vendor == "postgresql":
                cursor.execute(str(statement), params or None)
                params = None
