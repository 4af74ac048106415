import contracts.models.entity
import django.db.models.deletion
import django.db.models.functions.comparison
import django.utils.timezone
import invoicing_site.floor.fields
import invoicing_site.floor.reasons
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("actuals", "0001_initial"),
        ("backlog", "0001_initial"),
        ("contracts", "0001_initial"),
        ("invoicing_site", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="InvoiceRun",
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
                        related_name="invoice_runs",
                        to="contracts.legalentity",
                        verbose_name="legal entity",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("run", "run"), ("preview", "preview")], default="run", max_length=7
                    ),
                ),
                (
                    "trigger",
                    models.CharField(
                        choices=[
                            ("schedule", "schedule"),
                            ("manual", "by hand"),
                            ("command", "command line"),
                        ],
                        max_length=8,
                    ),
                ),
                ("as_of", models.DateField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("running", "running"),
                            ("finished", "finished"),
                            ("stopped", "stopped"),
                        ],
                        default="running",
                        max_length=8,
                    ),
                ),
                ("started_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "started_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("due", models.PositiveIntegerField(default=0, verbose_name="contracts to process")),
                (
                    "digest",
                    models.CharField(
                        blank=True,
                        help_text="Hash of the data that the plan is based on",
                        max_length=64,
                        verbose_name="plan hash",
                    ),
                ),
                (
                    "executes",
                    models.OneToOneField(
                        blank=True,
                        help_text="The preview that this run carries out",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="executed_by",
                        to="proforma.invoicerun",
                    ),
                ),
                (
                    "contracts",
                    models.ManyToManyField(blank=True, related_name="+", to="contracts.projectcontract"),
                ),
                ("customers", models.ManyToManyField(blank=True, related_name="+", to="contracts.customer")),
                ("projects", models.ManyToManyField(blank=True, related_name="+", to="contracts.project")),
            ],
            options={
                "ordering": ["-started_at"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "finished"), _negated=True),
                            ("finished_at__isnull", False),
                            _connector="OR",
                        ),
                        name="finished_run_has_an_end",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RunContract",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="run_contracts",
                        to="proforma.invoicerun",
                    ),
                ),
                (
                    "contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="contracts.projectcontract",
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("created", "proforma created"),
                            ("nothing", "nothing ready"),
                            ("failed", "failed"),
                        ],
                        max_length=7,
                    ),
                ),
                ("reason", invoicing_site.floor.reasons.ReasonField()),
                (
                    "digest",
                    models.CharField(
                        blank=True,
                        help_text="Hash of the data that the preview is based on",
                        max_length=64,
                        verbose_name="plan hash",
                    ),
                ),
                ("done_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("run", "contract"), name="run_contract_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="ProformaInvoice",
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
                        related_name="proformas",
                        to="contracts.legalentity",
                        verbose_name="legal entity",
                    ),
                ),
                ("number", models.CharField(max_length=40)),
                ("name", models.CharField(blank=True, max_length=200)),
                (
                    "kind",
                    models.CharField(
                        choices=[("invoice", "invoice"), ("correction", "correction")],
                        default="invoice",
                        max_length=10,
                    ),
                ),
                (
                    "contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proformas",
                        to="contracts.projectcontract",
                    ),
                ),
                (
                    "contract_customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proformas",
                        to="contracts.contractcustomer",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proformas",
                        to="contracts.customer",
                    ),
                ),
                ("currency", invoicing_site.floor.fields.CurrencyField()),
                (
                    "run",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proformas",
                        to="proforma.invoicerun",
                    ),
                ),
                ("run_date", models.DateField(blank=True, null=True)),
                ("cutoff", models.DateField(help_text="Work up to this date is included")),
                ("accounting_date", models.DateField()),
                (
                    "status",
                    models.CharField(
                        choices=[("draft", "draft"), ("review", "in review"), ("confirmed", "confirmed")],
                        default="draft",
                        max_length=9,
                    ),
                ),
                ("bill_to_name", models.CharField(blank=True, max_length=200)),
                ("contact_name", models.CharField(blank=True, max_length=200)),
                ("street", models.CharField(blank=True, max_length=200)),
                ("postal_code", models.CharField(blank=True, max_length=20)),
                ("city", models.CharField(blank=True, max_length=100)),
                ("country", models.CharField(blank=True, max_length=2)),
                ("organization_number", models.CharField(blank=True, max_length=40)),
                ("vat_number", models.CharField(blank=True, max_length=40, verbose_name="VAT number")),
                (
                    "electronic_address_scheme",
                    contracts.models.entity.ElectronicAddressSchemeField(blank=True),
                ),
                ("electronic_address", models.CharField(blank=True, max_length=100)),
                (
                    "payment_term",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="contracts.paymentterm",
                    ),
                ),
                ("buyer_reference", models.CharField(blank=True, max_length=100)),
                (
                    "order_reference",
                    models.CharField(blank=True, max_length=60, verbose_name="order number"),
                ),
                (
                    "purchase_order",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="contracts.purchaseorder",
                    ),
                ),
                (
                    "is_outside_scope",
                    models.BooleanField(default=False, verbose_name="outside the scope of tax"),
                ),
                ("copied_party", models.JSONField(blank=True, default=dict)),
                ("description", models.CharField(blank=True, max_length=500)),
                (
                    "corrects",
                    models.ForeignKey(
                        blank=True,
                        help_text="The confirmed proforma that this one corrects",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="corrections",
                        to="proforma.proformainvoice",
                    ),
                ),
                (
                    "returned_from",
                    models.OneToOneField(
                        blank=True,
                        help_text="The returned proforma that this one was created from",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="returned_as",
                        to="proforma.proformainvoice",
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
                (
                    "confirm_job",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("scheduled", "scheduled"),
                            ("processing", "processing"),
                            ("complete", "complete"),
                            ("failed", "failed"),
                        ],
                        max_length=10,
                        verbose_name="background confirm",
                    ),
                ),
                ("confirm_error", invoicing_site.floor.reasons.ReasonField()),
                ("confirmed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "confirmed_by",
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
                    "batch",
                    models.OneToOneField(
                        blank=True,
                        help_text="The batch of actuals that confirming created",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="actuals.batch",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("status__in", ["draft", "review"])),
                        fields=["contract", "contract_customer"],
                        name="proforma_open",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("entity", "number"), name="proforma_number_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "confirmed"), _negated=True),
                            models.Q(("batch__isnull", False), ("confirmed_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="confirmed_proforma_says_when",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("corrects", None), ("kind", "invoice")),
                            models.Q(("corrects__isnull", False), ("kind", "correction")),
                            _connector="OR",
                        ),
                        name="correction_names_what_it_corrects",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("returned_from", None), ("kind", "invoice"), _connector="OR"),
                        name="what_is_returned_is_an_invoice",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "confirmed"), _negated=True),
                        fields=("corrects",),
                        name="one_open_correction",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RunPlanLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "run_contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="plan_lines",
                        to="proforma.runcontract",
                    ),
                ),
                (
                    "contract_customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="contracts.contractcustomer",
                    ),
                ),
                ("run_date", models.DateField()),
                (
                    "purchase_order",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="contracts.purchaseorder",
                    ),
                ),
                (
                    "is_outside_scope",
                    models.BooleanField(
                        default=False, help_text="Tax category O", verbose_name="outside the scope of tax"
                    ),
                ),
                (
                    "code",
                    models.CharField(
                        blank=True,
                        help_text="Why the row is left out; empty if it is included",
                        max_length=40,
                    ),
                ),
                ("items", models.PositiveIntegerField()),
                ("amount", invoicing_site.floor.fields.AmountField()),
                ("previous_amount", invoicing_site.floor.fields.AmountField(blank=True, null=True)),
                ("currency", invoicing_site.floor.fields.CurrencyField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.F("run_contract"),
                        models.F("contract_customer"),
                        models.F("run_date"),
                        django.db.models.functions.comparison.Coalesce("purchase_order", 0),
                        models.F("is_outside_scope"),
                        models.F("code"),
                        name="plan_line_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ProformaSchedule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "proforma",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="schedule_entries",
                        to="proforma.proformainvoice",
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proformas",
                        to="contracts.scheduleentry",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("proforma", "entry"), name="proforma_schedule_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="ProformaLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "proforma",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lines",
                        to="proforma.proformainvoice",
                    ),
                ),
                (
                    "contract_line",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proforma_lines",
                        to="contracts.contractline",
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("description", models.CharField(blank=True, max_length=500)),
            ],
            options={
                "ordering": ["proforma", "number"],
                "constraints": [
                    models.UniqueConstraint(fields=("proforma", "number"), name="proforma_line_number_once"),
                    models.UniqueConstraint(
                        fields=("proforma", "contract_line"), name="proforma_contract_line_once"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LimitOverride",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "proforma",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="limit_overrides",
                        to="proforma.proformainvoice",
                    ),
                ),
                (
                    "level",
                    models.CharField(
                        choices=[
                            ("line_customer", "customer's share of a line"),
                            ("line", "contract line"),
                            ("customer", "contract customer"),
                            ("contract", "contract"),
                        ],
                        max_length=13,
                    ),
                ),
                ("limit", invoicing_site.floor.fields.AmountField()),
                ("over", invoicing_site.floor.fields.AmountField()),
                ("reason", models.CharField(max_length=500)),
                (
                    "by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="time")),
            ],
        ),
        migrations.CreateModel(
            name="LineDetail",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="details",
                        to="proforma.proformaline",
                    ),
                ),
                (
                    "backlog_item",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="detail",
                        to="backlog.backlogitem",
                    ),
                ),
                (
                    "corrects",
                    models.OneToOneField(
                        blank=True,
                        help_text="The detail that this one corrects",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="corrected_by",
                        to="proforma.linedetail",
                    ),
                ),
                (
                    "credited_part",
                    models.CharField(
                        blank=True,
                        choices=[("again", "bill again"), ("given_up", "not bill again")],
                        help_text="What happens to the credited part",
                        max_length=8,
                    ),
                ),
                ("credit_reason", models.CharField(blank=True, max_length=300)),
                (
                    "transaction_class",
                    models.CharField(
                        choices=[
                            ("time", "time"),
                            ("expense", "expense"),
                            ("material", "material"),
                            ("fee", "fee"),
                            ("milestone", "milestone"),
                            ("retainer", "retainer"),
                            ("tax", "tax"),
                        ],
                        max_length=10,
                    ),
                ),
                ("date", models.DateField()),
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
                (
                    "product",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="contracts.product",
                    ),
                ),
                ("quantity", invoicing_site.floor.fields.QuantityField()),
                ("unit", models.CharField(blank=True, max_length=10)),
                ("price", invoicing_site.floor.fields.PriceField()),
                ("amount", invoicing_site.floor.fields.AmountField()),
                (
                    "billing_type",
                    models.CharField(
                        choices=[
                            ("chargeable", "chargeable"),
                            ("non_chargeable", "non-chargeable"),
                            ("complimentary", "complimentary"),
                        ],
                        default="chargeable",
                        max_length=14,
                    ),
                ),
                (
                    "billing_tax_group",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="contracts.billingtaxgroup",
                    ),
                ),
                (
                    "item_tax_group",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="contracts.itemtaxgroup",
                    ),
                ),
                ("description", models.CharField(blank=True, max_length=500)),
                ("internal_description", models.CharField(blank=True, max_length=500)),
                (
                    "added_by",
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
                "verbose_name": "proforma detail",
                "indexes": [
                    models.Index(
                        condition=models.Q(("added_by__isnull", False)),
                        fields=["project", "date"],
                        name="detail_by_hand",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("credited_part", ""), ("corrects__isnull", False), _connector="OR"
                        ),
                        name="detail_credited_part_belongs_to_a_correction",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DetailActual",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "detail",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="detail_actuals",
                        to="proforma.linedetail",
                    ),
                ),
                (
                    "actual",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="detail_actual",
                        to="actuals.actual",
                    ),
                ),
                (
                    "part",
                    models.CharField(
                        choices=[
                            ("reversal", "reversal of the original"),
                            ("unbilled", "unbilled sales for the billed part"),
                            ("unbilled_reversal", "its reversal"),
                            ("billed", "billed sales"),
                            ("rest", "non-chargeable rest"),
                            ("rest_reversal", "reversal of the rest"),
                            ("rest_billed", "billed sales of the rest"),
                            ("credit", "reversal of the billed sales"),
                            ("rest_credit", "reversal of the billed rest"),
                            ("again", "unbilled sales to be billed again"),
                            ("given_up", "the part that is not billed again"),
                            ("balance", "retainer balance"),
                        ],
                        max_length=17,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("part", "credit")), fields=["detail"], name="detail_credited"
                    )
                ],
                "constraints": [models.UniqueConstraint(fields=("detail", "part"), name="detail_part_once")],
            },
        ),
        migrations.CreateModel(
            name="ProformaToPropose",
            fields=[
                (
                    "reason",
                    invoicing_site.floor.reasons.ReasonField(help_text="Why the last attempt failed"),
                ),
                (
                    "retry_after",
                    models.DateTimeField(
                        blank=True, help_text="The next automatic attempt is not before this time", null=True
                    ),
                ),
                (
                    "proforma",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="to_propose",
                        serialize=False,
                        to="proforma.proformainvoice",
                    ),
                ),
                (
                    "entity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="contracts.legalentity",
                        verbose_name="legal entity",
                    ),
                ),
            ],
            options={
                "verbose_name": "proforma that waits for a proposal",
                "verbose_name_plural": "proformas that wait for a proposal",
            },
        ),
    ]
