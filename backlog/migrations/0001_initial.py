import django.db.models.deletion
import django.utils.timezone
import invoicing_site.floor.fields
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("actuals", "0001_initial"),
        ("contracts", "0001_initial"),
        ("invoicing_site", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="BacklogItem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "actual",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="backlog_item",
                        to="actuals.actual",
                    ),
                ),
                (
                    "milestone_part",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="backlog_item",
                        to="contracts.milestonepart",
                    ),
                ),
                (
                    "retainer",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="backlog_item",
                        to="contracts.retainer",
                    ),
                ),
                (
                    "contract",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="contracts.projectcontract",
                    ),
                ),
                (
                    "contract_line",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="backlog_items",
                        to="contracts.contractline",
                    ),
                ),
                (
                    "contract_customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="backlog_items",
                        to="contracts.contractcustomer",
                    ),
                ),
                ("date", models.DateField()),
                ("amount", invoicing_site.floor.fields.AmountField()),
                ("currency", invoicing_site.floor.fields.CurrencyField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("not_ready", "not ready"),
                            ("ready", "ready to invoice"),
                            ("created", "on a draft proforma"),
                            ("posted", "on a confirmed proforma"),
                            ("canceled", "canceled"),
                        ],
                        default="not_ready",
                        max_length=9,
                    ),
                ),
                (
                    "needs_price",
                    models.BooleanField(default=False, help_text="No price was found, so it can't be billed"),
                ),
                (
                    "limit_status",
                    models.CharField(
                        choices=[
                            ("not_evaluated", "not tested"),
                            ("committed", "committed"),
                            ("failed", "failed"),
                            ("na", "not applicable"),
                        ],
                        default="na",
                        max_length=13,
                        verbose_name="not-to-exceed status",
                    ),
                ),
                (
                    "limit_level",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("line_customer", "customer's share of a line"),
                            ("line", "contract line"),
                            ("customer", "contract customer"),
                            ("contract", "contract"),
                        ],
                        max_length=13,
                    ),
                ),
                (
                    "limit_over",
                    invoicing_site.floor.fields.AmountField(
                        blank=True, null=True, verbose_name="over the limit by"
                    ),
                ),
                ("hold_until", models.DateField(blank=True, null=True)),
                ("hold_reason", models.CharField(blank=True, max_length=300)),
                (
                    "held_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "description",
                    models.CharField(blank=True, help_text="Description for the customer", max_length=500),
                ),
                ("internal_description", models.CharField(blank=True, max_length=500)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("status__in", ["not_ready", "ready"])),
                        fields=["contract", "contract_customer", "date"],
                        name="backlog_open",
                    ),
                    models.Index(
                        condition=models.Q(("status__in", ["not_ready", "ready"])),
                        fields=["date", "id"],
                        name="backlog_open_by_day",
                    ),
                    models.Index(
                        condition=models.Q(("limit_status", "committed")),
                        fields=["contract", "limit_status"],
                        name="backlog_committed",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("actual__isnull", False), ("milestone_part", None), ("retainer", None)),
                            models.Q(("actual", None), ("milestone_part__isnull", False), ("retainer", None)),
                            models.Q(("actual", None), ("milestone_part", None), ("retainer__isnull", False)),
                            _connector="OR",
                        ),
                        name="backlog_item_has_one_source",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status__in", ["ready", "created"]), _negated=True),
                            models.Q(("limit_status", "failed"), _negated=True),
                            _connector="OR",
                        ),
                        name="what_is_billed_is_within_its_limit",
                        violation_error_message="Items over a limit can't be marked ready.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("limit_status", "failed"), _negated=True),
                            models.Q(models.Q(("limit_level", ""), _negated=True), ("limit_over__gt", 0)),
                            _connector="OR",
                        ),
                        name="failed_limit_names_its_level",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BacklogAction",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "entity",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="contracts.legalentity",
                        verbose_name="legal entity",
                    ),
                ),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("ready", "marked ready"),
                            ("not_ready", "marked not ready"),
                            ("hold", "put on hold"),
                            ("release", "taken off hold"),
                            ("evaluate", "limits evaluated"),
                            ("reset", "limits reset"),
                        ],
                        max_length=9,
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="time")),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                (
                    "selection",
                    models.TextField(
                        blank=True, help_text="The filter of the list, if all matching rows were selected"
                    ),
                ),
                ("changed", models.PositiveIntegerField(default=0)),
                ("unchanged", models.PositiveIntegerField(default=0)),
                ("undone_at", models.DateTimeField(blank=True, null=True)),
                (
                    "undone_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CorrectionJournal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "entity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="correction_journals",
                        to="contracts.legalentity",
                        verbose_name="legal entity",
                    ),
                ),
                ("number", models.CharField(max_length=40)),
                ("reason", models.CharField(max_length=500)),
                (
                    "status",
                    models.CharField(
                        choices=[("draft", "draft"), ("posted", "posted")], default="draft", max_length=6
                    ),
                ),
                (
                    "batch",
                    models.OneToOneField(
                        blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to="actuals.batch"
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("entity", "number"), name="correction_number_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="BacklogActionItem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "action",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="items",
                        to="backlog.backlogaction",
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="backlog.backlogitem",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("action", "item"), name="action_item_once")],
            },
        ),
        migrations.CreateModel(
            name="Adjustment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="adjustments",
                        to="actuals.batch",
                    ),
                ),
                (
                    "item",
                    models.OneToOneField(
                        help_text="The backlog item that was replaced",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="adjustment",
                        to="backlog.backlogitem",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("write_off", "write-off"),
                            ("write_up", "write-up"),
                            ("split", "split"),
                            ("reprice", "repriced"),
                        ],
                        max_length=9,
                    ),
                ),
                (
                    "amount",
                    invoicing_site.floor.fields.AmountField(
                        help_text="The amount that was written off or up or split off, or the change of the price"
                    ),
                ),
                ("percent", invoicing_site.floor.fields.PercentField(blank=True, null=True)),
                ("reason", models.CharField(max_length=500)),
            ],
        ),
        migrations.CreateModel(
            name="CorrectionLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "journal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lines",
                        to="backlog.correctionjournal",
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="actuals.entry"
                    ),
                ),
                ("date", models.DateField(blank=True, null=True)),
                (
                    "project",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="contracts.project",
                    ),
                ),
                (
                    "task",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="contracts.task",
                    ),
                ),
                (
                    "resource",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="contracts.resource",
                    ),
                ),
                (
                    "role",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="contracts.role",
                    ),
                ),
                (
                    "category",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="contracts.category",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("journal", "entry"), name="correction_line_once")
                ],
            },
        ),
    ]
