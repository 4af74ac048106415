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
        ("contracts", "0001_initial"),
        ("invoicing_site", "0001_initial"),
        ("proforma", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="FiscalYear",
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
                        related_name="fiscal_years",
                        to="contracts.legalentity",
                        verbose_name="legal entity",
                    ),
                ),
                ("name", models.CharField(max_length=20)),
                (
                    "year",
                    models.PositiveSmallIntegerField(help_text="Replaces {year} in document numbers"),
                ),
                ("starts", models.DateField()),
                ("ends", models.DateField()),
            ],
            options={
                "ordering": ["entity", "starts"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("entity", "year"),
                        name="fiscal_year_once",
                        violation_error_message="This legal entity already has this fiscal year.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("starts__lt", models.F("ends"))),
                        name="fiscal_year_dates_in_order",
                        violation_error_message="A fiscal year must end after its first day.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Account",
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
                        related_name="accounts",
                        to="contracts.legalentity",
                        verbose_name="legal entity",
                    ),
                ),
                ("number", models.CharField(max_length=20)),
                ("name", models.CharField(max_length=200)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("asset", "asset"),
                            ("liability", "liability"),
                            ("equity", "equity"),
                            ("revenue", "revenue"),
                            ("expense", "expense"),
                        ],
                        max_length=9,
                    ),
                ),
                (
                    "control",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "—"),
                            ("customer", "customer subledger"),
                            ("wip_sales", "project subledger: WIP sales value"),
                            ("wip_cost", "project subledger: WIP cost value"),
                            ("on_account", "project subledger: WIP invoiced on account"),
                            ("disbursement", "project subledger: disbursements"),
                        ],
                        default="",
                        max_length=12,
                        verbose_name="control account of",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
            ],
            options={
                "ordering": ["entity", "number"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("entity", "number"),
                        name="account_number_once",
                        violation_error_message="Another account of this legal entity already has this number.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Dimension",
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
                        to="contracts.legalentity",
                        verbose_name="legal entity",
                    ),
                ),
                ("code", models.CharField(max_length=30)),
                ("name", models.CharField(max_length=200)),
            ],
            options={
                "default_related_name": "dimensions",
                "ordering": ["code"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("entity", "code"),
                        name="dimension_code_once",
                        violation_error_message="Another record of this legal entity already has this code.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DimensionSet",
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
                    "key",
                    models.CharField(
                        help_text="Identifies the combination of dimension values", max_length=300
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("entity", "key"), name="dimension_set_once")],
            },
        ),
        migrations.CreateModel(
            name="Profile",
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
                        to="contracts.legalentity",
                        verbose_name="legal entity",
                    ),
                ),
                ("code", models.CharField(max_length=30)),
                ("name", models.CharField(max_length=200)),
                (
                    "cost",
                    models.CharField(
                        choices=[("balance", "balance"), ("pl", "profit and loss"), ("never", "never")],
                        default="pl",
                        max_length=7,
                        verbose_name="cost posts to",
                    ),
                ),
                ("accrue_time", models.BooleanField(default=False, verbose_name="accrue revenue of time")),
                (
                    "accrue_expense",
                    models.BooleanField(default=False, verbose_name="accrue revenue of expenses"),
                ),
                (
                    "accrue_material",
                    models.BooleanField(default=False, verbose_name="accrue revenue of material"),
                ),
                ("accrue_fee", models.BooleanField(default=False, verbose_name="accrue revenue of fees")),
                (
                    "on_account",
                    models.CharField(
                        choices=[("balance", "balance"), ("pl", "profit and loss")],
                        default="balance",
                        max_length=7,
                        verbose_name="on-account invoices post to",
                    ),
                ),
            ],
            options={
                "default_related_name": "profiles",
                "ordering": ["code"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("entity", "code"),
                        name="profile_code_once",
                        violation_error_message="Another record of this legal entity already has this code.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("cost", "pl"),
                            models.Q(
                                ("accrue_expense", False),
                                ("accrue_fee", False),
                                ("accrue_material", False),
                                ("accrue_time", False),
                            ),
                            _connector="OR",
                        ),
                        name="accruing_needs_cost_in_profit_and_loss",
                        violation_error_message="Accruing revenue needs cost that posts to profit and loss.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProposalLayout",
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
                        related_name="layouts",
                        to="contracts.legalentity",
                        verbose_name="legal entity",
                    ),
                ),
                (
                    "customer",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="layout",
                        to="contracts.customer",
                    ),
                ),
                (
                    "contract",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="layout",
                        to="contracts.projectcontract",
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[("detail", "line by line"), ("summary", "summed up")],
                        default="detail",
                        max_length=7,
                        verbose_name="printed as",
                    ),
                ),
                (
                    "summary_by",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("role", "role"),
                            ("task", "task"),
                            ("category", "category"),
                            ("week", "week"),
                            ("month", "month"),
                        ],
                        max_length=8,
                        verbose_name="summed up by",
                    ),
                ),
                (
                    "section_for_each_line",
                    models.BooleanField(default=True, verbose_name="a section for each contract line"),
                ),
                ("with_annex", models.BooleanField(default=False, verbose_name="annex of time entries")),
            ],
            options={
                "verbose_name": "invoice layout",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("customer", None), ("contract", None), _connector="OR"),
                        name="layout_counts_for_one_thing",
                        violation_error_message="A layout is for one customer, one contract or all others.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("contract", None), ("customer", None)),
                        fields=("entity",),
                        name="one_layout_for_the_rest",
                        violation_error_message="This legal entity already has a default layout.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="IntegrationJournal",
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
                        related_name="journals",
                        to="contracts.legalentity",
                        verbose_name="legal entity",
                    ),
                ),
                ("number", models.CharField(max_length=40)),
                (
                    "period",
                    models.CharField(
                        help_text="The day, month or year of the lines, or “all”", max_length=10
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "draft"),
                            ("processing", "processing"),
                            ("posted", "posted"),
                            ("error", "error"),
                        ],
                        default="draft",
                        max_length=10,
                    ),
                ),
                (
                    "original",
                    models.ForeignKey(
                        blank=True,
                        help_text="The journal that the lines in error were moved from",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="remainders",
                        to="ledger.integrationjournal",
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("posted_at", models.DateTimeField(blank=True, null=True)),
                (
                    "posted_by",
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
                    models.UniqueConstraint(fields=("entity", "number"), name="journal_number_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "posted"), _negated=True),
                            ("posted_at__isnull", False),
                            _connector="OR",
                        ),
                        name="posted_journal_says_when",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FiscalPeriod",
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
                        related_name="fiscal_periods",
                        to="contracts.legalentity",
                        verbose_name="legal entity",
                    ),
                ),
                (
                    "year",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="periods",
                        to="ledger.fiscalyear",
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("starts", models.DateField()),
                ("ends", models.DateField()),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "open"), ("hold", "on hold"), ("closed", "closed")],
                        default="open",
                        max_length=6,
                    ),
                ),
            ],
            options={
                "ordering": ["entity", "starts"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("year", "number"),
                        name="fiscal_period_number_once",
                        violation_error_message="Another period of this year already has this number.",
                    ),
                    models.UniqueConstraint(
                        fields=("entity", "starts"),
                        name="fiscal_period_start_once",
                        violation_error_message="Another period already starts on this date.",
                    ),
                    models.UniqueConstraint(
                        fields=("entity", "ends"),
                        name="fiscal_period_end_once",
                        violation_error_message="Another period already ends on this date.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("starts__lte", models.F("ends"))),
                        name="fiscal_period_dates_in_order",
                        violation_error_message="A period must end on or after its first day.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DimensionValue",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "dimension",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="values",
                        to="ledger.dimension",
                    ),
                ),
                ("code", models.CharField(max_length=20)),
                ("name", models.CharField(max_length=100)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("dimension", "code"),
                        name="dimension_value_once",
                        violation_error_message="Another value of this dimension already has this code.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ProfileAssignment",
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
                        related_name="profile_assignments",
                        to="contracts.legalentity",
                        verbose_name="legal entity",
                    ),
                ),
                (
                    "profile",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="assignments",
                        to="ledger.profile",
                    ),
                ),
                (
                    "project",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="profile_assignment",
                        to="contracts.project",
                    ),
                ),
                (
                    "contract",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="profile_assignment",
                        to="contracts.projectcontract",
                    ),
                ),
                (
                    "group",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="profile_assignment",
                        to="contracts.projectgroup",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("contract", None), ("project", None)),
                            models.Q(("group", None), ("project", None)),
                            models.Q(("contract", None), ("group", None)),
                            _connector="OR",
                        ),
                        name="profile_counts_for_one_thing",
                        violation_error_message="A profile is for one project, one contract or one project group.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("contract", None), ("group", None), ("project", None)),
                        fields=("entity",),
                        name="one_profile_for_the_rest",
                        violation_error_message="This legal entity already has a default profile.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PostingAccount",
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
                        related_name="posting_accounts",
                        to="contracts.legalentity",
                        verbose_name="legal entity",
                    ),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("project_cost", "project cost"),
                            ("payroll", "payroll allocation"),
                            ("cost_offset", "offset of expenses and materials"),
                            ("wip_cost", "WIP cost value"),
                            ("wip_sales", "WIP sales value"),
                            ("accrued", "accrued revenue"),
                            ("revenue", "invoiced revenue"),
                            ("on_account_wip", "WIP invoiced on account"),
                            ("on_account_revenue", "invoiced on account, revenue"),
                            ("customer", "customer balance"),
                            ("advances", "customer advances"),
                            ("rounding", "rounding of conversion"),
                            ("gain", "exchange gain"),
                            ("loss", "exchange loss"),
                            ("write_off", "write-off"),
                            ("bad_debt", "bad debt"),
                            ("bank", "bank"),
                            ("disbursement", "disbursements for customers"),
                            ("variance", "contract variance"),
                            ("provision", "provision for expected losses"),
                        ],
                        max_length=18,
                    ),
                ),
                (
                    "profile",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="ledger.profile",
                    ),
                ),
                (
                    "transaction_class",
                    models.CharField(
                        blank=True,
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
                (
                    "category",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="contracts.category",
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.account"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.F("entity"),
                        models.F("purpose"),
                        django.db.models.functions.comparison.Coalesce("profile", 0),
                        models.F("transaction_class"),
                        django.db.models.functions.comparison.Coalesce("category", 0),
                        name="posting_account_once",
                        violation_error_message="There is already an account for exactly this case.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="InvoiceProposal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "proforma",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proposal",
                        to="proforma.proformainvoice",
                    ),
                ),
                (
                    "entity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proposals",
                        to="contracts.legalentity",
                        verbose_name="legal entity",
                    ),
                ),
                ("number", models.CharField(max_length=40)),
                (
                    "contract_customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proposals",
                        to="contracts.contractcustomer",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("blocked", "waiting for journals"),
                            ("open", "open"),
                            ("submitted", "submitted for approval"),
                            ("approved", "approved"),
                            ("posted", "posted"),
                            ("returned", "returned to the project manager"),
                        ],
                        default="blocked",
                        max_length=9,
                    ),
                ),
                (
                    "invoice_date",
                    models.DateField(blank=True, help_text="Empty: the posting date", null=True),
                ),
                (
                    "due_date",
                    models.DateField(
                        blank=True, help_text="Empty: calculated from the payment terms", null=True
                    ),
                ),
                (
                    "accounting_date",
                    models.DateField(blank=True, help_text="Empty: the invoice date", null=True),
                ),
                (
                    "delivery",
                    models.CharField(
                        choices=[("mail", "mail"), ("einvoice", "e-invoice"), ("both", "mail and e-invoice")],
                        default="mail",
                        max_length=8,
                    ),
                ),
                (
                    "dimensions",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="ledger.dimensionset",
                    ),
                ),
                ("place_of_delivery", models.CharField(blank=True, max_length=200)),
                ("header_text", models.TextField(blank=True)),
                ("footer_text", models.TextField(blank=True)),
                ("with_annex", models.BooleanField(default=False, verbose_name="annex of time entries")),
                ("return_reason", models.CharField(blank=True, max_length=500)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "last_error",
                    invoicing_site.floor.reasons.ReasonField(help_text="Why the last posting was refused"),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("status__in", ["blocked", "open", "submitted", "approved"])),
                        fields=["entity", "status"],
                        name="proposal_unposted",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("entity", "number"), name="proposal_number_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "returned"), _negated=True),
                            models.Q(("return_reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="returned_proposal_says_why",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TaxCode",
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
                        to="contracts.legalentity",
                        verbose_name="legal entity",
                    ),
                ),
                ("code", models.CharField(max_length=20)),
                ("name", models.CharField(max_length=100)),
                (
                    "category",
                    models.CharField(
                        choices=[
                            ("S", "standard"),
                            ("AA", "reduced"),
                            ("Z", "zero"),
                            ("E", "exempt"),
                            ("AE", "reverse charge"),
                            ("O", "outside scope"),
                        ],
                        max_length=2,
                    ),
                ),
                (
                    "legal_text",
                    models.CharField(
                        blank=True, help_text="Printed on the invoice if no tax is charged", max_length=300
                    ),
                ),
                (
                    "exemption_code",
                    models.CharField(
                        blank=True,
                        choices=[
                            (
                                "VATEX-EU-79-C",
                                "VATEX-EU-79-C reimbursement in the customer's name, article 79(c)",
                            ),
                            ("VATEX-EU-132", "VATEX-EU-132 activities in the public interest, article 132"),
                            ("VATEX-EU-132-1I", "VATEX-EU-132-1I education, article 132(1)(i)"),
                            ("VATEX-EU-135-1A", "VATEX-EU-135-1A insurance, article 135(1)(a)"),
                            ("VATEX-EU-135-1B", "VATEX-EU-135-1B granting of credit, article 135(1)(b)"),
                            ("VATEX-EU-135-1D", "VATEX-EU-135-1D payments and transfers, article 135(1)(d)"),
                            (
                                "VATEX-EU-135-1L",
                                "VATEX-EU-135-1L letting of immovable property, article 135(1)(l)",
                            ),
                            ("VATEX-EU-143", "VATEX-EU-143 importation, article 143"),
                            ("VATEX-EU-148", "VATEX-EU-148 vessels and aircraft, article 148"),
                            ("VATEX-EU-151", "VATEX-EU-151 diplomatic and international bodies, article 151"),
                            ("VATEX-EU-309", "VATEX-EU-309 travel agents outside the EU, article 309"),
                            ("VATEX-EU-AE", "VATEX-EU-AE reverse charge"),
                            ("VATEX-EU-O", "VATEX-EU-O not subject to VAT"),
                        ],
                        help_text="VATEX code, for electronic invoices without tax",
                        max_length=20,
                        verbose_name="exemption reason code",
                    ),
                ),
                (
                    "standard_code",
                    models.CharField(
                        blank=True,
                        help_text="Tax code of the SAF-T standard",
                        max_length=20,
                        verbose_name="standard tax code",
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.account",
                    ),
                ),
            ],
            options={
                "default_related_name": "tax_codes",
                "ordering": ["code"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("entity", "code"),
                        name="taxcode_code_once",
                        violation_error_message="Another record of this legal entity already has this code.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="JournalLine",
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
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="ledger.integrationjournal",
                    ),
                ),
                (
                    "actual",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="journal_line",
                        to="actuals.actual",
                    ),
                ),
                ("accounting_date", models.DateField()),
                ("exchange_rate", invoicing_site.floor.fields.RateField()),
                ("accounting_amount", invoicing_site.floor.fields.AmountField()),
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
                (
                    "dimensions",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="ledger.dimensionset",
                    ),
                ),
                (
                    "line_property",
                    models.CharField(
                        blank=True, help_text="Set from the billing type of the actual", max_length=14
                    ),
                ),
                ("error", invoicing_site.floor.reasons.ReasonField()),
            ],
        ),
        migrations.CreateModel(
            name="DimensionSetValue",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="values",
                        to="ledger.dimensionset",
                    ),
                ),
                (
                    "dimension",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.dimension"
                    ),
                ),
                (
                    "value",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.dimensionvalue",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("set", "dimension"), name="dimension_once_in_a_set")
                ],
            },
        ),
        migrations.CreateModel(
            name="DefaultDimension",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="default_dimensions",
                        to="contracts.project",
                    ),
                ),
                (
                    "contract_line",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="default_dimensions",
                        to="contracts.contractline",
                    ),
                ),
                (
                    "dimension",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.dimension"
                    ),
                ),
                (
                    "value",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.dimensionvalue",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("contract_line", None), ("project__isnull", False)),
                            models.Q(("contract_line__isnull", False), ("project", None)),
                            _connector="OR",
                        ),
                        name="default_dimension_has_one_owner",
                        violation_error_message="A default dimension belongs to one project or to one contract line.",
                    ),
                    models.UniqueConstraint(
                        fields=("project", "dimension"),
                        name="project_dimension_once",
                        violation_error_message="The project already has a value for this dimension.",
                    ),
                    models.UniqueConstraint(
                        fields=("contract_line", "dimension"),
                        name="line_dimension_once",
                        violation_error_message="The contract line already has a value for this dimension.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProposalSection",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "proposal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sections",
                        to="ledger.invoiceproposal",
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("title", models.CharField(blank=True, max_length=200)),
                (
                    "mode",
                    models.CharField(
                        choices=[("detail", "line by line"), ("summary", "summed up")],
                        default="detail",
                        max_length=7,
                        verbose_name="printed as",
                    ),
                ),
                (
                    "summary_by",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("role", "role"),
                            ("task", "task"),
                            ("category", "category"),
                            ("week", "week"),
                            ("month", "month"),
                        ],
                        max_length=8,
                        verbose_name="summed up by",
                    ),
                ),
            ],
            options={
                "ordering": ["proposal", "number"],
                "constraints": [
                    models.UniqueConstraint(fields=("proposal", "number"), name="section_number_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("mode", "detail"), models.Q(("summary_by", ""), _negated=True), _connector="OR"
                        ),
                        name="summary_says_by_what",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProposalDecision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "proposal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="decisions",
                        to="ledger.invoiceproposal",
                    ),
                ),
                (
                    "step",
                    models.CharField(
                        choices=[
                            ("submitted", "submitted"),
                            ("approved", "approved"),
                            ("rejected", "rejected"),
                            ("change", "change requested"),
                            ("reset", "reset"),
                        ],
                        max_length=9,
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="time")),
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
                ("comment", models.CharField(blank=True, max_length=500)),
            ],
        ),
        migrations.CreateModel(
            name="TaxRate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "tax_code",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="rates", to="ledger.taxcode"
                    ),
                ),
                ("valid_from", models.DateField()),
                ("percent", invoicing_site.floor.fields.PercentField()),
            ],
            options={
                "ordering": ["tax_code", "valid_from"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tax_code", "valid_from"),
                        name="tax_rate_once_a_day",
                        violation_error_message="The tax code already has a rate from this date.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("percent__gte", 0), ("percent__lte", 100)),
                        name="tax_rate_is_a_share",
                        violation_error_message="A tax rate must be between 0 and 100 %%.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BillingTaxGroupCode",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="codes",
                        to="contracts.billingtaxgroup",
                    ),
                ),
                (
                    "tax_code",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.taxcode"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("group", "tax_code"),
                        name="billing_tax_group_code",
                        violation_error_message="The group already has this tax code.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ItemTaxGroupCode",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="codes",
                        to="contracts.itemtaxgroup",
                    ),
                ),
                (
                    "tax_code",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.taxcode"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("group", "tax_code"),
                        name="item_tax_group_code",
                        violation_error_message="The group already has this tax code.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Voucher",
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
                        related_name="vouchers",
                        to="contracts.legalentity",
                        verbose_name="legal entity",
                    ),
                ),
                ("number", models.CharField(max_length=40)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("journal", "integration journal"),
                            ("invoice", "customer invoice"),
                            ("payment", "payment"),
                            ("settlement", "settlement"),
                            ("recognition", "revenue recognition"),
                            ("revaluation", "revaluation"),
                            ("general", "general"),
                            ("opening", "opening balance"),
                        ],
                        max_length=11,
                    ),
                ),
                ("date", models.DateField(verbose_name="accounting date")),
                ("document_date", models.DateField()),
                (
                    "period",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="vouchers",
                        to="ledger.fiscalperiod",
                    ),
                ),
                ("text", models.CharField(blank=True, max_length=300)),
                (
                    "journal_line",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="voucher",
                        to="ledger.journalline",
                    ),
                ),
                (
                    "reverses",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reversed_by",
                        to="ledger.voucher",
                    ),
                ),
                (
                    "position",
                    models.PositiveBigIntegerField(
                        help_text="The position in the chain of vouchers of the legal entity"
                    ),
                ),
                (
                    "hash_format",
                    models.PositiveSmallIntegerField(
                        help_text="The version of the rules by which the hashes were calculated"
                    ),
                ),
                (
                    "claims_hash",
                    models.CharField(
                        help_text="SHA-256 hash of the journal line or invoice that the voucher books",
                        max_length=64,
                        verbose_name="hash of the booked item",
                    ),
                ),
                ("previous_hash", models.CharField(blank=True, max_length=64)),
                ("hash", models.CharField(max_length=64)),
                ("posted_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "posted_by",
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
                    "posted_in",
                    models.BigIntegerField(
                        blank=True,
                        editable=False,
                        help_text="The database transaction that posted the voucher (PostgreSQL only)",
                        null=True,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["entity", "date", "id"], name="voucher_by_day")],
                "constraints": [
                    models.UniqueConstraint(fields=("entity", "number"), name="voucher_number_once"),
                    models.UniqueConstraint(fields=("entity", "position"), name="voucher_position_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("journal_line__isnull", False), ("kind", "journal")),
                            models.Q(models.Q(("kind", "journal"), _negated=True), ("journal_line", None)),
                            _connector="OR",
                        ),
                        name="journal_voucher_names_its_line",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProposalLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "proposal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="ledger.invoiceproposal",
                    ),
                ),
                (
                    "section",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="ledger.proposalsection",
                    ),
                ),
                (
                    "detail",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proposal_line",
                        to="proforma.linedetail",
                    ),
                ),
                ("number", models.PositiveIntegerField()),
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
                (
                    "dimensions",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="ledger.dimensionset",
                    ),
                ),
                (
                    "amount",
                    invoicing_site.floor.fields.AmountField(help_text="Net; 0 if the line is not charged"),
                ),
                (
                    "differs",
                    models.BooleanField(
                        default=False,
                        help_text="The tax groups of the line differ from those of the proforma",
                        verbose_name="tax groups differ",
                    ),
                ),
            ],
            options={
                "ordering": ["proposal", "number"],
                "constraints": [
                    models.UniqueConstraint(fields=("proposal", "number"), name="proposal_line_number_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="LedgerEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "voucher",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="ledger.voucher",
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="ledger.account",
                    ),
                ),
                ("debit", invoicing_site.floor.fields.AmountField(default=0)),
                ("credit", invoicing_site.floor.fields.AmountField(default=0)),
                ("currency", invoicing_site.floor.fields.CurrencyField()),
                ("rate", invoicing_site.floor.fields.RateField()),
                ("accounting_debit", invoicing_site.floor.fields.AmountField(default=0)),
                ("accounting_credit", invoicing_site.floor.fields.AmountField(default=0)),
                (
                    "dimensions",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="ledger.dimensionset",
                    ),
                ),
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
                    "customer",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="contracts.customer",
                    ),
                ),
                (
                    "tax_code",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="ledger.taxcode",
                    ),
                ),
                ("tax_percent", invoicing_site.floor.fields.PercentField(blank=True, null=True)),
                (
                    "tax_base",
                    invoicing_site.floor.fields.AmountField(
                        blank=True, help_text="In the currency of the transaction", null=True
                    ),
                ),
                ("due_date", models.DateField(blank=True, null=True)),
                ("text", models.CharField(blank=True, max_length=300)),
            ],
            options={
                "verbose_name_plural": "ledger entries",
                "indexes": [
                    models.Index(
                        condition=models.Q(("customer__isnull", False)),
                        fields=["customer"],
                        name="ledger_by_customer",
                    ),
                    models.Index(
                        condition=models.Q(("project__isnull", False)),
                        fields=["project"],
                        name="ledger_by_project",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("voucher", "number"), name="ledger_entry_number_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("debit", 0), ("credit", 0), _connector="OR"),
                            models.Q(("accounting_debit", 0), ("accounting_credit", 0), _connector="OR"),
                            ("accounting_credit__gte", 0),
                            ("accounting_debit__gte", 0),
                            ("credit__gte", 0),
                            ("debit__gte", 0),
                        ),
                        name="ledger_entry_is_a_debit_or_a_credit",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CustomerTransaction",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "voucher",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="customer_transactions",
                        to="ledger.voucher",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transactions",
                        to="contracts.customer",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("invoice", "invoice"),
                            ("credit_note", "credit note"),
                            ("payment", "payment"),
                            ("write_off", "write-off"),
                            ("revaluation", "revaluation"),
                        ],
                        max_length=11,
                    ),
                ),
                ("document_number", models.CharField(blank=True, max_length=40)),
                ("date", models.DateField()),
                ("due_date", models.DateField(blank=True, null=True)),
                ("amount", invoicing_site.floor.fields.AmountField()),
                ("currency", invoicing_site.floor.fields.CurrencyField()),
                ("rate", invoicing_site.floor.fields.RateField()),
                ("accounting_amount", invoicing_site.floor.fields.AmountField()),
                (
                    "reference",
                    models.CharField(blank=True, help_text="Payment reference, such as KID", max_length=60),
                ),
                (
                    "closed_on",
                    models.DateField(
                        blank=True,
                        editable=False,
                        help_text="The day from which the whole amount is settled",
                        null=True,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["customer", "date"], name="customer_statement"),
                    models.Index(
                        condition=models.Q(("closed_on", None)), fields=["customer"], name="customer_open"
                    ),
                    models.Index(
                        condition=models.Q(("closed_on", None), _negated=True),
                        fields=["customer", "closed_on"],
                        name="customer_closed",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Payment",
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
                        related_name="payments",
                        to="contracts.legalentity",
                        verbose_name="legal entity",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payments",
                        to="contracts.customer",
                    ),
                ),
                (
                    "voucher",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payment",
                        to="ledger.voucher",
                    ),
                ),
                ("date", models.DateField()),
                ("amount", invoicing_site.floor.fields.AmountField()),
                ("currency", invoicing_site.floor.fields.CurrencyField()),
                ("reference", models.CharField(blank=True, max_length=60)),
            ],
        ),
        migrations.CreateModel(
            name="ProjectTransaction",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "voucher",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="project_transactions",
                        to="ledger.voucher",
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transactions",
                        to="contracts.project",
                    ),
                ),
                (
                    "contract_line",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="contracts.contractline",
                    ),
                ),
                (
                    "actual",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="project_transactions",
                        to="actuals.actual",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("cost", "cost"),
                            ("unbilled", "unbilled sales"),
                            ("accrued", "accrued revenue"),
                            ("revenue", "invoiced revenue"),
                            ("on_account", "invoiced on account"),
                            ("recognized", "recognized revenue"),
                            ("disbursement", "disbursement"),
                        ],
                        max_length=12,
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
                ("date", models.DateField()),
                ("quantity", invoicing_site.floor.fields.QuantityField()),
                ("amount", invoicing_site.floor.fields.AmountField()),
                ("currency", invoicing_site.floor.fields.CurrencyField()),
                ("accounting_amount", invoicing_site.floor.fields.AmountField()),
                (
                    "in_balance",
                    models.BooleanField(
                        default=False,
                        help_text="Booked on a balance sheet account, not in profit and loss",
                        verbose_name="in balance sheet",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["project", "date"], name="project_statement")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("actual", "kind", "voucher"), name="project_transaction_once_a_voucher"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CustomerInvoice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "proposal",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invoice",
                        to="ledger.invoiceproposal",
                    ),
                ),
                (
                    "voucher",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invoice",
                        to="ledger.voucher",
                    ),
                ),
                (
                    "entity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invoices",
                        to="contracts.legalentity",
                        verbose_name="legal entity",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invoices",
                        to="contracts.customer",
                    ),
                ),
                (
                    "contract_customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invoices",
                        to="contracts.contractcustomer",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("invoice", "invoice"),
                            ("credit_note", "credit note"),
                            ("request", "payment request"),
                        ],
                        max_length=11,
                    ),
                ),
                (
                    "type_code",
                    models.CharField(
                        default="380",
                        help_text="UNTDID 1001: 380 invoice, 381 credit note, 386 advance invoice",
                        max_length=3,
                        verbose_name="document type code",
                    ),
                ),
                (
                    "sequence",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="contracts.numbersequence",
                    ),
                ),
                ("number", models.CharField(max_length=40)),
                (
                    "year",
                    models.PositiveSmallIntegerField(
                        help_text="The fiscal year of the number; 0 if numbers do not restart each year"
                    ),
                ),
                ("seq", models.PositiveBigIntegerField(verbose_name="position in the sequence")),
                ("invoice_date", models.DateField()),
                ("accounting_date", models.DateField()),
                ("due_date", models.DateField()),
                (
                    "period_from",
                    models.DateField(blank=True, help_text="The first day of the billed work", null=True),
                ),
                ("period_to", models.DateField(blank=True, null=True)),
                ("language", models.CharField(max_length=10)),
                ("payment_reference", models.CharField(blank=True, max_length=60)),
                (
                    "payment_reference_kind",
                    models.CharField(
                        choices=[
                            ("number", "invoice number"),
                            ("kid10", "KID, mod 10"),
                            ("kid11", "KID, mod 11"),
                            ("rf", "RF creditor reference"),
                        ],
                        default="number",
                        max_length=6,
                    ),
                ),
                ("order_reference", models.CharField(blank=True, max_length=60)),
                ("buyer_reference", models.CharField(blank=True, max_length=100)),
                ("contract_code", models.CharField(blank=True, max_length=30)),
                ("contract_name", models.CharField(blank=True, max_length=200)),
                ("payment_terms", models.CharField(blank=True, max_length=200)),
                ("place_of_delivery", models.CharField(blank=True, max_length=200)),
                ("header_text", models.TextField(blank=True)),
                ("footer_text", models.TextField(blank=True)),
                ("with_annex", models.BooleanField(default=False)),
                ("seller_name", models.CharField(max_length=200)),
                ("seller_street", models.CharField(blank=True, max_length=200)),
                ("seller_postal_code", models.CharField(blank=True, max_length=20)),
                ("seller_city", models.CharField(blank=True, max_length=100)),
                ("seller_country", models.CharField(max_length=2)),
                ("seller_organization_number", models.CharField(blank=True, max_length=40)),
                ("seller_vat_number", models.CharField(blank=True, max_length=40)),
                ("seller_in_company_register", models.BooleanField(default=False)),
                ("seller_electronic_address_scheme", models.CharField(blank=True, max_length=4)),
                ("seller_electronic_address", models.CharField(blank=True, max_length=100)),
                ("seller_email", models.CharField(blank=True, max_length=254)),
                ("seller_phone", models.CharField(blank=True, max_length=40)),
                ("seller_website", models.CharField(blank=True, max_length=200)),
                ("seller_bank_account", models.CharField(blank=True, max_length=40)),
                ("seller_iban", models.CharField(blank=True, max_length=40)),
                ("seller_bic", models.CharField(blank=True, max_length=11)),
                (
                    "seller_logo",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="invoicing_site.storedfile",
                    ),
                ),
                ("seller_accent_color", models.CharField(max_length=7)),
                ("buyer_number", models.CharField(max_length=20)),
                ("buyer_name", models.CharField(max_length=200)),
                ("buyer_contact", models.CharField(blank=True, max_length=200)),
                ("buyer_street", models.CharField(blank=True, max_length=200)),
                ("buyer_postal_code", models.CharField(blank=True, max_length=20)),
                ("buyer_city", models.CharField(blank=True, max_length=100)),
                ("buyer_country", models.CharField(max_length=2)),
                ("buyer_organization_number", models.CharField(blank=True, max_length=40)),
                ("buyer_vat_number", models.CharField(blank=True, max_length=40)),
                ("buyer_electronic_address_scheme", models.CharField(blank=True, max_length=4)),
                ("buyer_electronic_address", models.CharField(blank=True, max_length=100)),
                ("delivery", models.CharField(max_length=8)),
                ("currency", invoicing_site.floor.fields.CurrencyField()),
                ("accounting_currency", invoicing_site.floor.fields.CurrencyField()),
                (
                    "rate",
                    invoicing_site.floor.fields.RateField(help_text="The official rate of the invoice date"),
                ),
                (
                    "net_rate",
                    invoicing_site.floor.fields.RateField(
                        help_text="The rate of net amounts: the rate agreed in the contract, or the official rate"
                    ),
                ),
                ("net", invoicing_site.floor.fields.AmountField()),
                ("tax", invoicing_site.floor.fields.AmountField()),
                ("total", invoicing_site.floor.fields.AmountField()),
                ("accounting_net", invoicing_site.floor.fields.AmountField()),
                ("accounting_tax", invoicing_site.floor.fields.AmountField()),
                ("accounting_total", invoicing_site.floor.fields.AmountField()),
            ],
            options={
                "ordering": ["entity", "pk"],
                "indexes": [
                    models.Index(fields=["customer", "invoice_date"], name="invoice_by_customer"),
                    models.Index(fields=["entity", "invoice_date", "id"], name="invoice_by_day"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("entity", "number"), name="invoice_number_once"),
                    models.UniqueConstraint(fields=("sequence", "year", "seq"), name="invoice_place_once"),
                    models.CheckConstraint(
                        condition=models.Q(("seq__gte", 1)), name="invoice_year_and_place"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Settlement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "debit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="settled_by",
                        to="ledger.customertransaction",
                    ),
                ),
                (
                    "credit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="settles",
                        to="ledger.customertransaction",
                    ),
                ),
                ("date", models.DateField()),
                ("amount", invoicing_site.floor.fields.AmountField()),
                ("debit_accounting_amount", invoicing_site.floor.fields.AmountField()),
                ("credit_accounting_amount", invoicing_site.floor.fields.AmountField()),
                (
                    "voucher",
                    models.ForeignKey(
                        blank=True,
                        help_text="The voucher of the exchange difference, if there is one",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="settlements",
                        to="ledger.voucher",
                    ),
                ),
                (
                    "reverses",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reversed_by",
                        to="ledger.settlement",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount", 0), _negated=True), name="settlement_has_an_amount"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="InvoiceReference",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="references",
                        to="ledger.customerinvoice",
                    ),
                ),
                (
                    "original",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="referred_by",
                        to="ledger.customerinvoice",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("invoice", "original"), name="invoice_reference_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="InvoiceLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="ledger.customerinvoice",
                    ),
                ),
                (
                    "proposal_line",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invoice_line",
                        to="ledger.proposalline",
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("section", models.PositiveSmallIntegerField()),
                ("section_title", models.CharField(blank=True, max_length=200)),
                ("section_mode", models.CharField(max_length=7)),
                (
                    "summary",
                    models.CharField(
                        blank=True,
                        help_text="The printed line that includes this line, if lines are summed up",
                        max_length=200,
                    ),
                ),
                ("transaction_class", models.CharField(max_length=10)),
                ("date", models.DateField()),
                ("description", models.CharField(blank=True, max_length=500)),
                ("project", models.CharField(blank=True, max_length=240)),
                ("task", models.CharField(blank=True, max_length=270)),
                ("resource", models.CharField(blank=True, max_length=200)),
                ("role", models.CharField(blank=True, max_length=200)),
                ("category", models.CharField(blank=True, max_length=200)),
                ("billing_type", models.CharField(max_length=14)),
                ("quantity", invoicing_site.floor.fields.QuantityField()),
                ("unit", models.CharField(blank=True, max_length=10)),
                (
                    "unit_code",
                    models.CharField(
                        blank=True, help_text="UNECE code; empty if the unit has none", max_length=3
                    ),
                ),
                ("price", invoicing_site.floor.fields.PriceField()),
                ("net", invoicing_site.floor.fields.AmountField()),
                ("tax", invoicing_site.floor.fields.AmountField(default=0)),
                ("tax_category", models.CharField(blank=True, max_length=2)),
                ("tax_percent", invoicing_site.floor.fields.PercentField(blank=True, null=True)),
            ],
            options={
                "ordering": ["invoice", "number"],
                "constraints": [
                    models.UniqueConstraint(fields=("invoice", "number"), name="invoice_line_number_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="InvoiceTax",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="taxes",
                        to="ledger.customerinvoice",
                    ),
                ),
                (
                    "tax_code",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.taxcode",
                    ),
                ),
                ("code", models.CharField(max_length=20)),
                ("name", models.CharField(max_length=100)),
                ("category", models.CharField(max_length=2)),
                ("percent", invoicing_site.floor.fields.PercentField()),
                ("legal_text", models.CharField(blank=True, max_length=300)),
                ("exemption_code", models.CharField(blank=True, help_text="VATEX code", max_length=20)),
                ("base", invoicing_site.floor.fields.AmountField()),
                ("tax", invoicing_site.floor.fields.AmountField()),
                ("accounting_base", invoicing_site.floor.fields.AmountField()),
                ("accounting_tax", invoicing_site.floor.fields.AmountField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("invoice", "tax_code", "percent"), name="invoice_tax_once"
                    )
                ],
                "verbose_name_plural": "invoice taxes",
            },
        ),
        migrations.CreateModel(
            name="Document",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="documents",
                        to="ledger.customerinvoice",
                    ),
                ),
                (
                    "kind",
                    models.CharField(choices=[("pdf", "PDF"), ("ubl", "UBL"), ("cii", "CII")], max_length=3),
                ),
                (
                    "file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="invoicing_site.storedfile",
                    ),
                ),
                (
                    "drawn_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="created at"),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("invoice", "kind"), name="document_once")],
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deliveries",
                        to="ledger.customerinvoice",
                    ),
                ),
                (
                    "channel",
                    models.CharField(choices=[("mail", "mail"), ("einvoice", "e-invoice")], max_length=8),
                ),
                ("recipient", models.CharField(max_length=254)),
                (
                    "status",
                    models.CharField(
                        choices=[("queued", "queued"), ("sent", "sent"), ("failed", "failed")],
                        default="queued",
                        max_length=6,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("message", models.CharField(blank=True, max_length=500)),
                ("queued_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name_plural": "deliveries",
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "queued")), fields=["queued_at"], name="delivery_queued"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="InvoiceToDocument",
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
                    "invoice",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="to_document",
                        serialize=False,
                        to="ledger.customerinvoice",
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
                "verbose_name": "invoice that waits for its document",
                "verbose_name_plural": "invoices that wait for their documents",
            },
        ),
        migrations.CreateModel(
            name="AccountBalance",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("count", models.PositiveBigIntegerField()),
                ("debit", invoicing_site.floor.fields.SumField()),
                ("credit", invoicing_site.floor.fields.SumField()),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="balances",
                        to="ledger.account",
                    ),
                ),
                (
                    "dimensions",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.dimensionset",
                    ),
                ),
                (
                    "period",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.fiscalperiod",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.F("account"),
                        models.F("period"),
                        django.db.models.functions.comparison.Coalesce("dimensions", 0),
                        name="account_balance_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CustomerBalance",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("currency", invoicing_site.floor.fields.CurrencyField()),
                (
                    "month",
                    models.DateField(help_text="The first day of the month of the documents, for statements"),
                ),
                ("count", models.PositiveBigIntegerField()),
                ("amount", invoicing_site.floor.fields.SumField()),
                ("accounting_amount", invoicing_site.floor.fields.SumField()),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="balances",
                        to="contracts.customer",
                    ),
                ),
                (
                    "period",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.fiscalperiod",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("customer", "period", "currency", "month"), name="customer_balance_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PartyBalance",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("currency", invoicing_site.floor.fields.CurrencyField()),
                ("count", models.PositiveBigIntegerField()),
                ("debit", invoicing_site.floor.fields.SumField()),
                ("credit", invoicing_site.floor.fields.SumField()),
                ("accounting_debit", invoicing_site.floor.fields.SumField()),
                ("accounting_credit", invoicing_site.floor.fields.SumField()),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="party_balances",
                        to="ledger.account",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="contracts.customer",
                    ),
                ),
                (
                    "period",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.fiscalperiod",
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="contracts.project",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.F("account"),
                        models.F("period"),
                        django.db.models.functions.comparison.Coalesce("project", 0),
                        django.db.models.functions.comparison.Coalesce("customer", 0),
                        models.F("currency"),
                        name="party_balance_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ProjectBalance",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("cost", "cost"),
                            ("unbilled", "unbilled sales"),
                            ("accrued", "accrued revenue"),
                            ("revenue", "invoiced revenue"),
                            ("on_account", "invoiced on account"),
                            ("recognized", "recognized revenue"),
                            ("disbursement", "disbursement"),
                        ],
                        max_length=12,
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
                ("in_balance", models.BooleanField()),
                (
                    "voucher_kind",
                    models.CharField(
                        choices=[
                            ("journal", "integration journal"),
                            ("invoice", "customer invoice"),
                            ("payment", "payment"),
                            ("settlement", "settlement"),
                            ("recognition", "revenue recognition"),
                            ("revaluation", "revaluation"),
                            ("general", "general"),
                            ("opening", "opening balance"),
                        ],
                        max_length=11,
                    ),
                ),
                ("currency", invoicing_site.floor.fields.CurrencyField()),
                ("count", models.PositiveBigIntegerField()),
                ("quantity", invoicing_site.floor.fields.SumField()),
                ("amount", invoicing_site.floor.fields.SumField()),
                ("accounting_amount", invoicing_site.floor.fields.SumField()),
                (
                    "period",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.fiscalperiod",
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="balances",
                        to="contracts.project",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=(
                            "project",
                            "period",
                            "kind",
                            "transaction_class",
                            "in_balance",
                            "voucher_kind",
                            "currency",
                        ),
                        name="project_balance_once",
                    )
                ],
                "indexes": [
                    models.Index(
                        condition=models.Q(("in_balance", True)),
                        fields=["project"],
                        name="project_balance_controlled",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PeriodBalance",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("count", models.PositiveBigIntegerField()),
                (
                    "period",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="balance",
                        to="ledger.fiscalperiod",
                    ),
                ),
            ],
        ),
    ]
