import django.db.models.deletion
import django.utils.timezone
import invoicing_site.floor.fields
import invoicing_site.floor.reasons
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("contracts", "0001_initial"),
        ("invoicing_site", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="EntryImport",
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
                        related_name="entry_imports",
                        to="contracts.legalentity",
                        verbose_name="legal entity",
                    ),
                ),
                (
                    "file",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="invoicing_site.storedfile",
                    ),
                ),
                (
                    "format",
                    models.CharField(
                        choices=[
                            ("ledgerline", "Ledgerline"),
                            ("kimai", "Kimai"),
                            ("harvest", "Harvest"),
                            ("toggl", "Toggl Track"),
                            ("clockify", "Clockify"),
                            ("solidtime", "Solidtime"),
                            ("jira", "Jira / Tempo"),
                            ("dynamics", "Dynamics 365"),
                            ("odoo", "Odoo"),
                            ("everhour", "Everhour"),
                            ("harvest_expenses", "Harvest expenses"),
                            ("expensify", "Expensify"),
                        ],
                        default="ledgerline",
                        max_length=20,
                    ),
                ),
                (
                    "mapping",
                    models.JSONField(
                        blank=True, default=dict, help_text="The column of the file for each field"
                    ),
                ),
                ("rows", models.PositiveIntegerField(help_text="Rows in the file")),
                ("added", models.PositiveIntegerField(help_text="New entries")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("queued", "waiting"),
                            ("running", "running"),
                            ("finished", "imported"),
                            ("failed", "failed"),
                        ],
                        default="finished",
                        max_length=8,
                    ),
                ),
                (
                    "message",
                    invoicing_site.floor.reasons.ReasonField(
                        help_text="Why the import failed or added no entries"
                    ),
                ),
                (
                    "submits",
                    models.BooleanField(
                        default=False, help_text="The new entries are submitted for approval"
                    ),
                ),
                (
                    "imported_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now,
                        help_text="While the import runs: the time of the request",
                    ),
                ),
                (
                    "imported_by",
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
                "verbose_name": "import",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status__in", ["queued", "running"])),
                        fields=("entity", "file"),
                        name="import_of_a_file_runs_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Batch",
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
                        related_name="+",
                        to="contracts.legalentity",
                        verbose_name="legal entity",
                    ),
                ),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("approve", "approved"),
                            ("cancel", "approval canceled"),
                            ("correct", "corrected"),
                            ("contract", "contract confirmed"),
                            ("proforma", "proforma confirmed"),
                            ("adjust", "adjusted"),
                            ("cutover", "brought in at cutover"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "on",
                    models.DateField(
                        help_text="The date of the action in the time zone of the legal entity",
                        verbose_name="date",
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
            ],
            options={
                "verbose_name_plural": "batches",
            },
        ),
        migrations.CreateModel(
            name="Entry",
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
                        related_name="entries",
                        to="contracts.legalentity",
                        verbose_name="legal entity",
                    ),
                ),
                (
                    "transaction_class",
                    models.CharField(
                        choices=[
                            ("time", "time"),
                            ("expense", "expense"),
                            ("material", "material"),
                            ("fee", "fee"),
                        ],
                        default="time",
                        max_length=10,
                    ),
                ),
                ("date", models.DateField()),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
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
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
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
                ("quantity", invoicing_site.floor.fields.QuantityField(help_text="Hours for time")),
                ("unit", models.CharField(default="h", max_length=10)),
                ("description", models.CharField(blank=True, max_length=500)),
                ("internal_comment", models.CharField(blank=True, max_length=500)),
                (
                    "priced_role",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="contracts.role",
                    ),
                ),
                (
                    "priced_unit",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="contracts.organizationalunit",
                    ),
                ),
                (
                    "priced_company",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="contracts.legalentity",
                    ),
                ),
                ("cost_currency", invoicing_site.floor.fields.CurrencyField(blank=True)),
                (
                    "cost_net",
                    invoicing_site.floor.fields.AmountField(
                        blank=True,
                        help_text="Without tax, for the whole entry",
                        null=True,
                        verbose_name="net cost",
                    ),
                ),
                (
                    "cost_tax",
                    invoicing_site.floor.fields.AmountField(blank=True, null=True, verbose_name="tax"),
                ),
                (
                    "cost_tax_deductible",
                    invoicing_site.floor.fields.AmountField(
                        blank=True, null=True, verbose_name="deductible tax"
                    ),
                ),
                (
                    "sales_price",
                    invoicing_site.floor.fields.PriceField(
                        blank=True, help_text="For fees: the agreed unit price", null=True
                    ),
                ),
                (
                    "receipt",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="invoicing_site.storedfile",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "draft"),
                            ("submitted", "submitted"),
                            ("approved", "approved"),
                            ("rejected", "rejected"),
                            ("recall", "recall requested"),
                        ],
                        default="draft",
                        max_length=9,
                    ),
                ),
                (
                    "external_program",
                    models.CharField(
                        blank=True, help_text="The program that the external id comes from", max_length=20
                    ),
                ),
                ("external_id", models.CharField(blank=True, max_length=100)),
                (
                    "source",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="actuals.entryimport",
                    ),
                ),
                (
                    "corrects",
                    models.OneToOneField(
                        blank=True,
                        help_text="The entry that this entry replaces",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="corrected_by",
                        to="actuals.entry",
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
                ("submitted_at", models.DateTimeField(blank=True, null=True)),
                (
                    "submitted_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("decision_comment", models.CharField(blank=True, max_length=500)),
                (
                    "billable_quantity",
                    invoicing_site.floor.fields.QuantityField(
                        blank=True,
                        help_text="The quantity that was approved for billing; empty: the whole quantity",
                        null=True,
                    ),
                ),
                (
                    "billing_type",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("chargeable", "chargeable"),
                            ("non_chargeable", "non-chargeable"),
                            ("complimentary", "complimentary"),
                        ],
                        help_text="Set by the approver; empty: according to the contract line",
                        max_length=14,
                    ),
                ),
                (
                    "imported_billing",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("non_chargeable", "non-chargeable"),
                            ("cost_only", "cost only, invoiced elsewhere"),
                        ],
                        help_text="As imported from the other program; the approver can choose another billing type",
                        max_length=14,
                        verbose_name="imported billing",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "entries",
                "indexes": [
                    models.Index(fields=["project", "status", "date"], name="entry_by_project"),
                    models.Index(fields=["resource", "date"], name="entry_by_week"),
                    models.Index(
                        condition=models.Q(("status", "submitted")),
                        fields=["entity", "date", "id"],
                        name="entry_submitted",
                    ),
                    models.Index(
                        condition=models.Q(("status__in", ["draft", "submitted", "recall"])),
                        fields=["entity", "date"],
                        name="entry_open",
                    ),
                    models.Index(
                        condition=models.Q(("status__in", ["approved", "recall"])),
                        fields=["entity", "decided_at", "id"],
                        name="entry_approved",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("external_id", ""), _negated=True),
                        fields=("entity", "external_program", "external_id"),
                        name="entry_external_id_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("quantity", 0), _negated=True), name="entry_has_a_quantity"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("resource__isnull", False), ("transaction_class", "time")),
                            models.Q(("product__isnull", False), ("transaction_class", "material")),
                            models.Q(
                                ("category__isnull", False), ("transaction_class__in", ["expense", "fee"])
                            ),
                            _connector="OR",
                        ),
                        name="entry_names_what_it_is",
                        violation_error_message="Time needs a resource, material needs a product, and expenses and fees need a category.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["draft", "rejected"]),
                            ("resource", None),
                            ("priced_company__isnull", False),
                            _connector="OR",
                        ),
                        name="entry_is_priced_from_submitting_on",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["draft", "submitted"]),
                            ("decided_at__isnull", False),
                            _connector="OR",
                        ),
                        name="entry_decision_has_a_time",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PriceDecision",
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
                        related_name="price_decisions",
                        to="actuals.batch",
                    ),
                ),
                ("kind", models.CharField(choices=[("sales", "sales"), ("cost", "cost")], max_length=5)),
                (
                    "price_list",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="contracts.pricelist",
                    ),
                ),
                (
                    "role_price",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="contracts.roleprice",
                    ),
                ),
                (
                    "override",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="contracts.rolepriceoverride",
                    ),
                ),
                (
                    "category_price",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="contracts.categoryprice",
                    ),
                ),
                (
                    "product_price",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="contracts.productprice",
                    ),
                ),
                ("base_price", invoicing_site.floor.fields.PriceField(default=0)),
                ("markup", invoicing_site.floor.fields.PercentField(default=0, verbose_name="markups %")),
                ("price", invoicing_site.floor.fields.PriceField()),
                (
                    "is_missing",
                    models.BooleanField(
                        default=False,
                        help_text="No price was found, so the price is 0",
                        verbose_name="price missing",
                    ),
                ),
                (
                    "reasoning",
                    models.TextField(
                        blank=True,
                        help_text="One line for each price that was checked, with the reason why it was used or not",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Actual",
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
                        to="contracts.legalentity",
                        verbose_name="legal entity",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="actuals",
                        to="actuals.batch",
                    ),
                ),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("cost", "cost"),
                            ("unbilled", "unbilled sales"),
                            ("billed", "billed sales"),
                        ],
                        max_length=8,
                    ),
                ),
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
                ("date", models.DateField(verbose_name="transaction date")),
                (
                    "accounting_date",
                    models.DateField(
                        help_text="The transaction date; for a reversal, the date of the action"
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="actuals",
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
                (
                    "contract",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="contracts.projectcontract",
                    ),
                ),
                (
                    "contract_line",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="actuals",
                        to="contracts.contractline",
                    ),
                ),
                (
                    "contract_customer",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="actuals",
                        to="contracts.contractcustomer",
                    ),
                ),
                (
                    "split",
                    invoicing_site.floor.fields.PercentField(
                        blank=True, null=True, verbose_name="customer's share %"
                    ),
                ),
                (
                    "is_rounding_share",
                    models.BooleanField(
                        default=False,
                        help_text="This share takes the rounding of a split, so its amount can differ from quantity × price",
                        verbose_name="takes the rounding",
                    ),
                ),
                ("quantity", invoicing_site.floor.fields.QuantityField()),
                ("unit", models.CharField(blank=True, max_length=10)),
                ("price", invoicing_site.floor.fields.PriceField()),
                ("amount", invoicing_site.floor.fields.AmountField()),
                ("currency", invoicing_site.floor.fields.CurrencyField()),
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
                ("description", models.CharField(blank=True, max_length=500)),
                (
                    "booked_by",
                    models.CharField(
                        choices=[
                            ("journal", "integration journal"),
                            ("invoice", "invoice"),
                            ("nothing", "nothing"),
                        ],
                        max_length=7,
                    ),
                ),
                (
                    "price_decision",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="actuals",
                        to="actuals.pricedecision",
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="actuals",
                        to="actuals.entry",
                    ),
                ),
                (
                    "milestone_part",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="actuals",
                        to="contracts.milestonepart",
                    ),
                ),
                (
                    "retainer",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="actuals",
                        to="contracts.retainer",
                    ),
                ),
                (
                    "cost",
                    models.ForeignKey(
                        blank=True,
                        help_text="The cost of this sale",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sales",
                        to="actuals.actual",
                    ),
                ),
                (
                    "reverses",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reversed_by",
                        to="actuals.actual",
                    ),
                ),
                (
                    "replaces",
                    models.ForeignKey(
                        blank=True,
                        help_text="The actual that this one replaces, wholly or in part",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replaced_by",
                        to="actuals.actual",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["contract_line", "type", "date"], name="actual_by_line"),
                    models.Index(fields=["contract", "type", "transaction_class"], name="actual_by_contract"),
                    models.Index(fields=["entity", "accounting_date"], name="actual_by_day"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("contract_customer", None), ("type", "cost")),
                            models.Q(
                                models.Q(("type", "cost"), _negated=True),
                                ("contract__isnull", False),
                                ("contract_customer__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="sales_actual_is_a_customers_share",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reverses", models.F("id")), _negated=True),
                        name="actual_does_not_reverse_itself",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ActualToJournal",
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
                    "actual",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="to_journal",
                        serialize=False,
                        to="actuals.actual",
                    ),
                ),
                ("date", models.DateField(verbose_name="accounting date")),
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
            ],
            options={
                "verbose_name": "actual that waits for a journal",
                "verbose_name_plural": "actuals that wait for a journal",
                "indexes": [models.Index(fields=["entity", "actual"], name="actual_to_journal")],
            },
        ),
    ]
