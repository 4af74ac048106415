import contracts.models.entity
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.comparison
import invoicing_site.floor.fields
import invoicing_site.floor.reasons
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("invoicing_site", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="LegalEntity",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=20, unique=True)),
                ("name", models.CharField(max_length=200)),
                ("currency", invoicing_site.floor.fields.CurrencyField(verbose_name="accounting currency")),
                (
                    "country",
                    models.CharField(
                        default="NO", help_text="Two letters (ISO 3166), such as NO", max_length=2
                    ),
                ),
                (
                    "time_zone",
                    models.CharField(
                        default="Europe/Oslo",
                        max_length=60,
                        validators=[contracts.models.entity.valid_time_zone],
                    ),
                ),
                (
                    "language",
                    models.CharField(
                        choices=[("en", "English"), ("nb", "Norsk bokmål")], default="en", max_length=10
                    ),
                ),
                ("fiscal_year_start_month", models.PositiveSmallIntegerField(default=1)),
                ("street", models.CharField(blank=True, max_length=200)),
                ("postal_code", models.CharField(blank=True, max_length=20)),
                ("city", models.CharField(blank=True, max_length=100)),
                ("organization_number", models.CharField(blank=True, max_length=40)),
                ("vat_number", models.CharField(blank=True, max_length=40, verbose_name="VAT number")),
                (
                    "in_company_register",
                    models.BooleanField(
                        default=False,
                        help_text="For limited companies: Norwegian documents show “Foretaksregisteret”",
                    ),
                ),
                (
                    "electronic_address_scheme",
                    contracts.models.entity.ElectronicAddressSchemeField(blank=True),
                ),
                ("electronic_address", models.CharField(blank=True, max_length=100)),
                ("email", models.EmailField(blank=True, max_length=254)),
                ("phone", models.CharField(blank=True, max_length=40)),
                ("website", models.URLField(blank=True)),
                ("bank_account", models.CharField(blank=True, max_length=40)),
                ("iban", models.CharField(blank=True, max_length=40, verbose_name="IBAN")),
                ("bic", models.CharField(blank=True, max_length=11, verbose_name="BIC")),
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
                        help_text="The reference that customers use when they pay; a KID needs an agreement with the bank",
                        max_length=6,
                        verbose_name="payment reference",
                    ),
                ),
                (
                    "kid_length",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="Total number of digits, 3 to 25, as agreed with the bank; if empty: as many as needed",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(3),
                            django.core.validators.MaxValueValidator(25),
                        ],
                        verbose_name="KID length",
                    ),
                ),
                (
                    "kid_holds",
                    models.CharField(
                        choices=[
                            ("invoice", "invoice number"),
                            ("both", "customer number and invoice number"),
                        ],
                        default="invoice",
                        max_length=7,
                        verbose_name="KID content",
                    ),
                ),
                (
                    "logo",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="invoicing_site.storedfile",
                    ),
                ),
                ("accent_color", models.CharField(default="#1f5fbf", max_length=7)),
                (
                    "journal_grouping",
                    models.CharField(
                        choices=[
                            ("day", "day"),
                            ("month", "month"),
                            ("year", "year"),
                            ("all", "one journal for all"),
                        ],
                        default="month",
                        help_text="Which actuals are in one journal: those of a day, a month, a year, or all",
                        max_length=5,
                    ),
                ),
                ("journal_max_lines", models.PositiveIntegerField(default=5000)),
                (
                    "tax_group_source",
                    models.CharField(
                        choices=[
                            ("project", "project"),
                            ("contract", "contract"),
                            ("customer", "customer"),
                            ("search", "project, then contract, then customer"),
                        ],
                        default="search",
                        help_text="Where the billing tax group of a line comes from",
                        max_length=8,
                    ),
                ),
                (
                    "closed_period",
                    models.CharField(
                        choices=[
                            ("move", "move to the first day of the next open period"),
                            ("error", "report an error on the line"),
                        ],
                        default="error",
                        help_text="What happens to a journal line that is dated in a closed period",
                        max_length=5,
                    ),
                ),
                (
                    "allow_own_approval",
                    models.BooleanField(
                        default=False,
                        help_text="Project managers may approve their own work, and work that they recorded, imported or submitted",
                    ),
                ),
                (
                    "require_proposal_approval",
                    models.BooleanField(
                        default=False,
                        help_text="An invoice proposal must be approved by a second person before it is posted",
                    ),
                ),
                (
                    "posts_journals_by_clock",
                    models.BooleanField(
                        default=False,
                        help_text="If not ticked, an accountant posts them",
                        verbose_name="post journals automatically",
                    ),
                ),
                (
                    "posts_invoices_by_clock",
                    models.BooleanField(
                        default=False,
                        help_text="If not ticked, an accountant posts them. With “separate confirm and post”, an invoice is posted automatically only if a person other than the one who confirmed has approved it",
                        verbose_name="post invoices automatically",
                    ),
                ),
                (
                    "separate_confirm_and_post",
                    models.BooleanField(
                        default=False,
                        help_text="The person who confirmed a proforma may not post its invoice",
                    ),
                ),
                (
                    "require_order_reference",
                    models.BooleanField(
                        default=False,
                        help_text="An invoice without a customer's order number can't be posted",
                    ),
                ),
                (
                    "invoices_in_advance",
                    models.BooleanField(
                        default=False,
                        help_text="Work and milestones dated after the invoice date can be invoiced; users get a warning",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "legal entities",
                "ordering": ["code"],
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "entity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to="contracts.legalentity",
                        verbose_name="legal entity",
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("member", "project member"),
                            ("manager", "project manager"),
                            ("accountant", "project accountant"),
                            ("administrator", "billing administrator"),
                            ("auditor", "auditor"),
                        ],
                        max_length=13,
                    ),
                ),
                (
                    "sees_costs",
                    models.BooleanField(
                        default=False,
                        help_text="The person sees cost rates, costs and margins; accountants and auditors always see them",
                    ),
                ),
                (
                    "overrides_limits",
                    models.BooleanField(
                        default=False,
                        help_text="The person may confirm proformas over a not-to-exceed limit, with a reason",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "entity", "role"),
                        name="membership_once",
                        violation_error_message="This person already has this role in this legal entity.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="OrganizationalUnit",
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
                "default_related_name": "units",
                "ordering": ["code"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("entity", "code"),
                        name="organizationalunit_code_once",
                        violation_error_message="Another record of this legal entity already has this code.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PaymentTerm",
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
                    "method",
                    models.CharField(
                        choices=[
                            ("net", "net days"),
                            ("eom", "end of month plus days"),
                            ("dom", "fixed day of the month"),
                            ("now", "immediate"),
                        ],
                        default="net",
                        max_length=3,
                    ),
                ),
                ("days", models.PositiveSmallIntegerField(default=0)),
                ("day_of_month", models.PositiveSmallIntegerField(blank=True, null=True)),
            ],
            options={
                "default_related_name": "payment_terms",
                "ordering": ["code"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("entity", "code"),
                        name="paymentterm_code_once",
                        violation_error_message="Another record of this legal entity already has this code.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("method", "dom"), _negated=True),
                            models.Q(("day_of_month__gte", 1), ("day_of_month__lte", 31)),
                            _connector="OR",
                        ),
                        name="payment_term_names_its_day",
                        violation_error_message="A payment term with a fixed day needs that day (1 to 31).",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BillingTaxGroup",
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
                "default_related_name": "billing_tax_groups",
                "ordering": ["code"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("entity", "code"),
                        name="billingtaxgroup_code_once",
                        violation_error_message="Another record of this legal entity already has this code.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ItemTaxGroup",
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
                "default_related_name": "item_tax_groups",
                "ordering": ["code"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("entity", "code"),
                        name="itemtaxgroup_code_once",
                        violation_error_message="Another record of this legal entity already has this code.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ExchangeRate",
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
                        related_name="exchange_rates",
                        to="contracts.legalentity",
                        verbose_name="legal entity",
                    ),
                ),
                (
                    "rate_type",
                    models.CharField(
                        choices=[("spot", "official"), ("average", "average"), ("budget", "budget")],
                        default="spot",
                        max_length=7,
                    ),
                ),
                ("currency", invoicing_site.floor.fields.CurrencyField()),
                ("valid_from", models.DateField()),
                (
                    "rate",
                    invoicing_site.floor.fields.RateField(
                        help_text="Units of the accounting currency for one unit of this currency"
                    ),
                ),
                ("source", models.CharField(blank=True, max_length=100)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("entity", "rate_type", "currency", "valid_from"),
                        name="exchange_rate_once_a_day",
                        violation_error_message="There is already a rate of this type and currency from this date.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("rate__gt", 0)),
                        name="exchange_rate_is_positive",
                        violation_error_message="An exchange rate must be more than 0.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProjectGroup",
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
                "default_related_name": "project_groups",
                "ordering": ["code"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("entity", "code"),
                        name="projectgroup_code_once",
                        violation_error_message="Another record of this legal entity already has this code.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Role",
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
                ("is_chargeable", models.BooleanField(default=True, verbose_name="chargeable")),
            ],
            options={
                "default_related_name": "roles",
                "ordering": ["code"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("entity", "code"),
                        name="role_code_once",
                        violation_error_message="Another record of this legal entity already has this code.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="MeasureUnit",
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
                        related_name="measure_units",
                        to="contracts.legalentity",
                        verbose_name="legal entity",
                    ),
                ),
                (
                    "unit",
                    models.CharField(help_text="As used in prices and entries, such as km", max_length=10),
                ),
                (
                    "code",
                    models.CharField(
                        choices=[
                            ("C62", "C62 one"),
                            ("H87", "H87 piece"),
                            ("EA", "EA each"),
                            ("SET", "SET set"),
                            ("E48", "E48 service unit"),
                            ("LS", "LS lump sum"),
                            ("MIN", "MIN minute"),
                            ("HUR", "HUR hour"),
                            ("DAY", "DAY day"),
                            ("WEE", "WEE week"),
                            ("MON", "MON month"),
                            ("ANN", "ANN year"),
                            ("KMT", "KMT kilometer"),
                            ("MTR", "MTR meter"),
                            ("MTK", "MTK square meter"),
                            ("MTQ", "MTQ cubic meter"),
                            ("LTR", "LTR liter"),
                            ("KGM", "KGM kilogram"),
                            ("TNE", "TNE tonne"),
                            ("KWH", "KWH kilowatt hour"),
                            ("GB", "GB gigabyte"),
                            ("P1", "P1 percent"),
                        ],
                        max_length=3,
                        verbose_name="UNECE code",
                    ),
                ),
            ],
            options={
                "verbose_name": "unit of measure",
                "verbose_name_plural": "units of measure",
                "ordering": ["unit"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("entity", "unit"),
                        name="measure_unit_once",
                        violation_error_message="This legal entity already has a code for this unit.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="InvoiceFrequency",
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
                    "rhythm",
                    models.CharField(
                        choices=[
                            ("weekly", "every N weeks, on a weekday"),
                            ("monthly", "every N months, on certain days"),
                            ("weekday", "every N months, on a weekday such as the first Monday"),
                        ],
                        max_length=7,
                        verbose_name="pattern",
                    ),
                ),
                (
                    "every",
                    models.PositiveSmallIntegerField(
                        default=1, help_text="N, the number of weeks or months", verbose_name="interval"
                    ),
                ),
                (
                    "days",
                    models.CharField(
                        blank=True,
                        help_text="Days of the month, such as 1,16; 31 is the last day",
                        max_length=60,
                    ),
                ),
                (
                    "weekday",
                    models.PositiveSmallIntegerField(
                        blank=True, help_text="0 is Monday, 6 is Sunday", null=True
                    ),
                ),
                (
                    "nth",
                    models.SmallIntegerField(
                        blank=True,
                        help_text="1 to 4; −1 is the last",
                        null=True,
                        verbose_name="which weekday of the month",
                    ),
                ),
                (
                    "cutoff_on_run_day",
                    models.BooleanField(
                        default=False,
                        help_text="If ticked, a run includes work of the run day, such as the 31st; otherwise work up to the day before. Existing schedules change only when they are planned again",
                        verbose_name="cutoff on the run day",
                    ),
                ),
            ],
            options={
                "default_related_name": "frequencies",
                "ordering": ["code"],
                "verbose_name_plural": "invoice frequencies",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("entity", "code"),
                        name="invoicefrequency_code_once",
                        violation_error_message="Another record of this legal entity already has this code.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("every__gte", 1)),
                        name="frequency_moves_on",
                        violation_error_message="Enter 1 or more: 1 means every week or month.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("rhythm", "weekly"), ("weekday__lte", 6)),
                            models.Q(("rhythm", "monthly"), models.Q(("days", ""), _negated=True)),
                            models.Q(
                                ("nth__in", [-1, 1, 2, 3, 4]), ("rhythm", "weekday"), ("weekday__lte", 6)
                            ),
                            _connector="OR",
                        ),
                        name="frequency_says_its_days",
                        violation_error_message="Enter the days: a weekday, days of the month, or a weekday and which one of the month.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="NumberSequence",
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
                        related_name="number_sequences",
                        to="contracts.legalentity",
                        verbose_name="legal entity",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("proforma", "proforma invoice"),
                            ("journal", "integration journal"),
                            ("invoice", "customer invoice"),
                            ("credit_note", "credit note"),
                            ("request", "payment request"),
                            ("voucher", "voucher"),
                            ("correction", "correction journal"),
                        ],
                        max_length=11,
                    ),
                ),
                ("format", models.CharField(help_text="Such as INV-{year}-{seq:06}", max_length=60)),
                ("chain_length", models.PositiveBigIntegerField(default=0, editable=False)),
                ("chain_hash", models.CharField(blank=True, editable=False, max_length=64)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("entity", "kind"),
                        name="number_sequence_once",
                        violation_error_message="This legal entity already has a sequence of this kind.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Customer",
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
                        related_name="customers",
                        to="contracts.legalentity",
                        verbose_name="legal entity",
                    ),
                ),
                ("number", models.CharField(max_length=20)),
                ("name", models.CharField(max_length=200)),
                ("currency", invoicing_site.floor.fields.CurrencyField()),
                (
                    "language",
                    models.CharField(
                        choices=[("en", "English"), ("nb", "Norsk bokmål")], default="en", max_length=10
                    ),
                ),
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
                ("organization_number", models.CharField(blank=True, max_length=40)),
                ("vat_number", models.CharField(blank=True, max_length=40, verbose_name="VAT number")),
                (
                    "electronic_address_scheme",
                    contracts.models.entity.ElectronicAddressSchemeField(blank=True),
                ),
                ("electronic_address", models.CharField(blank=True, max_length=100)),
                (
                    "delivery",
                    models.CharField(
                        choices=[("mail", "mail"), ("einvoice", "e-invoice"), ("both", "mail and e-invoice")],
                        default="mail",
                        max_length=8,
                    ),
                ),
                ("contact_name", models.CharField(blank=True, max_length=200)),
                ("email", models.EmailField(blank=True, max_length=254)),
                ("street", models.CharField(blank=True, max_length=200)),
                ("postal_code", models.CharField(blank=True, max_length=20)),
                ("city", models.CharField(blank=True, max_length=100)),
                ("country", models.CharField(default="NO", max_length=2)),
                ("buyer_reference", models.CharField(blank=True, max_length=100)),
                (
                    "payment_reference_kind",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("number", "invoice number"),
                            ("kid10", "KID, mod 10"),
                            ("kid11", "KID, mod 11"),
                            ("rf", "RF creditor reference"),
                        ],
                        help_text="If empty: the setting of the legal entity",
                        max_length=6,
                        verbose_name="payment reference",
                    ),
                ),
                (
                    "kid_length",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="If empty: the setting of the legal entity",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(3),
                            django.core.validators.MaxValueValidator(25),
                        ],
                        verbose_name="KID length",
                    ),
                ),
                (
                    "kid_holds",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("invoice", "invoice number"),
                            ("both", "customer number and invoice number"),
                        ],
                        help_text="If empty: the setting of the legal entity",
                        max_length=7,
                        verbose_name="KID content",
                    ),
                ),
            ],
            options={
                "ordering": ["number"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("entity", "number"),
                        name="customer_number_once",
                        violation_error_message="Another customer of this legal entity already has this number.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("electronic_address", ""), ("electronic_address_scheme", "")),
                            models.Q(
                                models.Q(("electronic_address", ""), _negated=True),
                                models.Q(("electronic_address_scheme", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="customer_electronic_address_has_a_scheme",
                        violation_error_message="Enter an electronic address together with its scheme.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Project",
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
                    "group",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="contracts.projectgroup",
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
                ("starts", models.DateField(blank=True, null=True)),
                ("ends", models.DateField(blank=True, null=True)),
                ("is_open", models.BooleanField(default=True, verbose_name="open for entries")),
                (
                    "managers",
                    models.ManyToManyField(
                        blank=True, related_name="managed_projects", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "default_related_name": "projects",
                "ordering": ["code"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("entity", "code"),
                        name="project_code_once",
                        violation_error_message="Another record of this legal entity already has this code.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Category",
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
                (
                    "transaction_class",
                    models.CharField(
                        choices=[("time", "time"), ("expense", "expense"), ("fee", "fee")], max_length=10
                    ),
                ),
                ("code", models.CharField(max_length=60)),
                ("name", models.CharField(max_length=200)),
                ("is_chargeable", models.BooleanField(default=True, verbose_name="chargeable")),
                (
                    "is_disbursement",
                    models.BooleanField(
                        default=False,
                        help_text="Paid on behalf of the customer: no revenue and no tax",
                        verbose_name="disbursement",
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
            ],
            options={
                "default_related_name": "categories",
                "verbose_name_plural": "categories",
                "ordering": ["transaction_class", "code"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("entity", "transaction_class", "code"),
                        name="category_code_once",
                        violation_error_message="Another category of this class and legal entity already has this code.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Product",
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
                ("code", models.CharField(max_length=60)),
                ("name", models.CharField(max_length=200)),
                ("unit", models.CharField(default="each", max_length=10)),
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
            ],
            options={
                "default_related_name": "products",
                "ordering": ["code"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("entity", "code"),
                        name="product_code_once",
                        violation_error_message="Another record of this legal entity already has this code.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Resource",
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
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="resources",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "role",
                    models.ForeignKey(
                        blank=True,
                        help_text="Applies until the first position below begins",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="contracts.role",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        help_text="Applies until the first position below begins",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="contracts.organizationalunit",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
            ],
            options={
                "default_related_name": "resources",
                "ordering": ["code"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("entity", "code"),
                        name="resource_code_once",
                        violation_error_message="Another record of this legal entity already has this code.",
                    ),
                    models.UniqueConstraint(
                        fields=("entity", "user"),
                        name="resource_user_once",
                        violation_error_message="This user is already a resource of this legal entity.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProjectContract",
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
                ("currency", invoicing_site.floor.fields.CurrencyField()),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="contracts.organizationalunit",
                        verbose_name="contracting unit",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("draft", "draft"), ("confirmed", "confirmed"), ("closed", "closed")],
                        default="draft",
                        max_length=9,
                    ),
                ),
                ("starts", models.DateField(blank=True, null=True)),
                ("ends", models.DateField(blank=True, null=True, verbose_name="requested end")),
                (
                    "limit",
                    invoicing_site.floor.fields.AmountField(
                        blank=True, null=True, verbose_name="not-to-exceed limit"
                    ),
                ),
                (
                    "fixed_exchange_rate",
                    invoicing_site.floor.fields.RateField(
                        blank=True,
                        help_text="Units of the accounting currency for one unit of the contract's currency; converts net sales amounts only",
                        null=True,
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
                    "place_of_delivery",
                    models.CharField(
                        blank=True,
                        help_text="Printed on invoices; if empty: the buyer's city",
                        max_length=200,
                    ),
                ),
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
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("closed_as_lost", models.BooleanField(default=False)),
                (
                    "managers",
                    models.ManyToManyField(
                        blank=True, related_name="managed_contracts", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "default_related_name": "contracts",
                "verbose_name": "contract",
                "ordering": ["code"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("entity", "code"),
                        name="projectcontract_code_once",
                        violation_error_message="Another record of this legal entity already has this code.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status", "draft"),
                            ("confirmed_at__isnull", False),
                            ("closed_as_lost", True),
                            _connector="OR",
                        ),
                        name="contract_confirmed_has_a_time",
                        violation_error_message="A confirmed contract needs the time of confirmation.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("limit__gt", 0), ("limit", None), _connector="OR"),
                        name="contract_limit_is_positive",
                        violation_error_message="A limit must be more than 0. Leave it empty for no limit.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SequenceCounter",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "sequence",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="counters",
                        to="contracts.numbersequence",
                    ),
                ),
                ("year", models.PositiveSmallIntegerField(default=0)),
                ("last", models.PositiveBigIntegerField(default=0)),
                ("last_date", models.DateField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("sequence", "year"),
                        name="sequence_counter_once_a_year",
                        violation_error_message="A sequence has one counter per year.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CustomerContact",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="contacts",
                        to="contracts.customer",
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                ("email", models.EmailField(max_length=254)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("customer", "email"),
                        name="customer_contact_once",
                        violation_error_message="This customer already has a contact with this address.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Task",
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
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tasks",
                        to="contracts.project",
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="contracts.task",
                    ),
                ),
                ("code", models.CharField(max_length=60)),
                ("name", models.CharField(max_length=200)),
            ],
            options={
                "ordering": ["project", "code"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("project", "code"),
                        name="task_code_once",
                        violation_error_message="Another task of this project already has this code.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ResourcePosition",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "resource",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="positions",
                        to="contracts.resource",
                    ),
                ),
                ("valid_from", models.DateField()),
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
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="contracts.organizationalunit",
                    ),
                ),
            ],
            options={
                "verbose_name": "position",
                "ordering": ["resource", "valid_from"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("resource", "valid_from"),
                        name="resource_position_once_a_day",
                        violation_error_message="This resource already has a position from this date.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ContractRevision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="revisions",
                        to="contracts.projectcontract",
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("effective_on", models.DateField()),
                ("reason", models.CharField(max_length=500)),
                (
                    "status",
                    models.CharField(
                        choices=[("draft", "draft"), ("confirmed", "confirmed")],
                        default="draft",
                        max_length=9,
                    ),
                ),
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
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("contract", "number"),
                        name="revision_number_once",
                        violation_error_message="Another revision of this contract already has this number.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ContractCustomer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="customers",
                        to="contracts.projectcontract",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contract_customers",
                        to="contracts.customer",
                    ),
                ),
                ("is_primary", models.BooleanField(default=False, verbose_name="primary")),
                ("split", invoicing_site.floor.fields.PercentField(verbose_name="billing split %")),
                ("is_rounding", models.BooleanField(default=False, verbose_name="takes the rounding")),
                (
                    "limit",
                    invoicing_site.floor.fields.AmountField(
                        blank=True, null=True, verbose_name="not-to-exceed limit"
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
            ],
            options={
                "ordering": ["contract", "pk"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("contract", "customer"),
                        name="contract_customer_once",
                        violation_error_message="This customer is already on the contract.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("is_primary", True)),
                        fields=("contract",),
                        name="contract_one_primary_customer",
                        violation_error_message="A contract can have only one primary customer.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("is_rounding", True)),
                        fields=("contract",),
                        name="contract_one_rounding_customer",
                        violation_error_message="Only one customer can take the rounding of a contract.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("split__gte", 0), ("split__lte", 100)),
                        name="contract_customer_split_is_a_share",
                        violation_error_message="A billing split must be between 0 and 100 %%.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("bill_to_name", ""), _negated=True),
                            models.Q(
                                ("electronic_address", ""), ("organization_number", ""), ("vat_number", "")
                            ),
                            _connector="OR",
                        ),
                        name="numbers_of_a_bill_to_have_a_name",
                        violation_error_message="Numbers and an electronic address need a bill-to name.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("electronic_address", ""), ("electronic_address_scheme", "")),
                            models.Q(
                                models.Q(("electronic_address", ""), _negated=True),
                                models.Q(("electronic_address_scheme", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="bill_to_electronic_address_has_a_scheme",
                        violation_error_message="Enter an electronic address together with its scheme.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PriceList",
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
                ("kind", models.CharField(choices=[("sales", "sales"), ("cost", "cost")], max_length=5)),
                ("currency", invoicing_site.floor.fields.CurrencyField()),
                ("valid_from", models.DateField()),
                ("valid_to", models.DateField(blank=True, null=True)),
                (
                    "customer",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="price_lists",
                        to="contracts.customer",
                    ),
                ),
                (
                    "contract",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="own_price_lists",
                        to="contracts.projectcontract",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="price_lists",
                        to="contracts.organizationalunit",
                    ),
                ),
            ],
            options={
                "default_related_name": "price_lists",
                "ordering": ["code"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("entity", "code"),
                        name="pricelist_code_once",
                        violation_error_message="Another record of this legal entity already has this code.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("valid_to", None), ("valid_from__lte", models.F("valid_to")), _connector="OR"
                        ),
                        name="price_list_dates_in_order",
                        violation_error_message="A price list must end on or after its first day.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("contract", None), ("customer", None)),
                            models.Q(("customer", None), ("unit", None)),
                            models.Q(("contract", None), ("unit", None)),
                            _connector="OR",
                        ),
                        name="price_list_has_one_owner",
                        violation_error_message="A price list can belong to only one customer, contract or unit.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PurchaseOrder",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "contract_customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="purchase_orders",
                        to="contracts.contractcustomer",
                    ),
                ),
                ("number", models.CharField(max_length=60)),
                ("valid_from", models.DateField(blank=True, null=True)),
                ("valid_to", models.DateField(blank=True, null=True)),
                (
                    "amount",
                    invoicing_site.floor.fields.AmountField(
                        blank=True, help_text="Net, in the contract's currency; if empty: no limit", null=True
                    ),
                ),
            ],
            options={
                "verbose_name": "order number",
                "ordering": ["contract_customer", "pk"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("contract_customer", "number"),
                        name="purchase_order_once",
                        violation_error_message="This customer already has this order number.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("valid_from", None),
                            ("valid_to", None),
                            ("valid_from__lte", models.F("valid_to")),
                            _connector="OR",
                        ),
                        name="purchase_order_dates_in_order",
                        violation_error_message="An order must end on or after its first day.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0), ("amount", None), _connector="OR"),
                        name="purchase_order_amount_is_positive",
                        violation_error_message="An order amount must be more than 0. Leave it empty for no limit.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ContractPriceList",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contract_price_lists",
                        to="contracts.projectcontract",
                    ),
                ),
                (
                    "price_list",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="contracts.pricelist",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("contract", "price_list"),
                        name="contract_price_list_once",
                        violation_error_message="The contract already has this price list.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ContractLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="contracts.projectcontract",
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("name", models.CharField(max_length=200)),
                (
                    "billing_method",
                    models.CharField(
                        choices=[("tm", "time and material"), ("fixed", "fixed price")], max_length=5
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contract_lines",
                        to="contracts.project",
                    ),
                ),
                ("entire_project", models.BooleanField(default=True)),
                (
                    "includes_time",
                    models.BooleanField(
                        default=True,
                        help_text="For each project and task, only one confirmed line can cover a class of work on a date",
                    ),
                ),
                ("includes_expense", models.BooleanField(default=True)),
                ("includes_material", models.BooleanField(default=True)),
                ("includes_fee", models.BooleanField(default=True)),
                ("starts", models.DateField(blank=True, null=True)),
                ("ends", models.DateField(blank=True, null=True)),
                (
                    "contract_amount",
                    invoicing_site.floor.fields.AmountField(
                        blank=True, help_text="For a fixed price: the total of the milestones", null=True
                    ),
                ),
                (
                    "estimate",
                    invoicing_site.floor.fields.AmountField(
                        blank=True, help_text="For time and material: the expected amount", null=True
                    ),
                ),
                (
                    "limit",
                    invoicing_site.floor.fields.AmountField(
                        blank=True, null=True, verbose_name="not-to-exceed limit"
                    ),
                ),
                (
                    "frequency",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="contracts.invoicefrequency",
                    ),
                ),
                (
                    "billing_starts",
                    models.DateField(
                        blank=True,
                        help_text="The first possible invoice date; if empty: the start of the line or the contract",
                        null=True,
                    ),
                ),
                (
                    "revision",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="contracts.contractrevision",
                    ),
                ),
                (
                    "replaces",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replaced_by",
                        to="contracts.contractline",
                    ),
                ),
            ],
            options={
                "ordering": ["contract", "number"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("contract", "number"),
                        name="contract_line_number_once",
                        violation_error_message="Another line of this contract already has this number.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("billing_method", "fixed"), _negated=True),
                            ("contract_amount__isnull", False),
                            _connector="OR",
                        ),
                        name="fixed_price_line_has_an_amount",
                        violation_error_message="A fixed-price line needs its contract amount.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("starts", None),
                            ("ends", None),
                            ("starts__lte", models.F("ends")),
                            _connector="OR",
                        ),
                        name="contract_line_dates_in_order",
                        violation_error_message="A contract line must end on or after its first day.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("limit__gt", 0), ("limit", None), _connector="OR"),
                        name="line_limit_is_positive",
                        violation_error_message="A limit must be more than 0. Leave it empty for no limit.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RetainerSchedule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "contract_customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="retainer_schedules",
                        to="contracts.contractcustomer",
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                ("total", invoicing_site.floor.fields.AmountField()),
                (
                    "frequency",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="contracts.invoicefrequency",
                    ),
                ),
                ("starts", models.DateField()),
                ("ends", models.DateField(blank=True, null=True)),
                ("count", models.PositiveSmallIntegerField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends__isnull", False), ("count__isnull", False), _connector="OR"
                        ),
                        name="retainer_schedule_ends",
                        violation_error_message="Enter the last date or the number of the retainers.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RolePrice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "price_list",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="role_prices",
                        to="contracts.pricelist",
                    ),
                ),
                (
                    "role",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="contracts.role",
                    ),
                ),
                (
                    "company",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="contracts.legalentity",
                        verbose_name="resourcing company",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="contracts.organizationalunit",
                        verbose_name="resourcing unit",
                    ),
                ),
                ("price", invoicing_site.floor.fields.PriceField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.F("price_list"),
                        django.db.models.functions.comparison.Coalesce("role", 0),
                        django.db.models.functions.comparison.Coalesce("company", 0),
                        django.db.models.functions.comparison.Coalesce("unit", 0),
                        name="role_price_once",
                        violation_error_message="The list already has a price for this role, company and unit.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("price__gte", 0), ("price", None), _connector="OR"),
                        name="role_price_is_not_negative",
                        violation_error_message="A price must be 0 or more.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PriceMarkup",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "price_list",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="markups",
                        to="contracts.pricelist",
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                (
                    "category",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="contracts.category",
                    ),
                ),
                (
                    "role",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="contracts.role",
                    ),
                ),
                ("percent", invoicing_site.floor.fields.PercentField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("price_list", "name"),
                        name="price_markup_name_once",
                        violation_error_message="Another markup of this list already has this name.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("percent__gte", -100), ("percent", None), _connector="OR"),
                        name="price_markup_leaves_a_price",
                        violation_error_message="A markup must be −100 %% or more.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CategoryPrice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "price_list",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="category_prices",
                        to="contracts.pricelist",
                    ),
                ),
                (
                    "category",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="contracts.category"),
                ),
                ("unit", models.CharField(default="each", max_length=10)),
                (
                    "method",
                    models.CharField(
                        choices=[
                            ("unit", "price per unit"),
                            ("cost", "at cost"),
                            ("markup", "markup % over cost"),
                        ],
                        max_length=6,
                    ),
                ),
                ("price", invoicing_site.floor.fields.PriceField(blank=True, null=True)),
                (
                    "markup",
                    invoicing_site.floor.fields.PercentField(blank=True, null=True, verbose_name="markup %"),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("price_list", "category", "unit"),
                        name="category_price_once",
                        violation_error_message="The list already has a price for this category and unit.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("method", "unit"), ("price__isnull", False)),
                            ("method", "cost"),
                            models.Q(("markup__isnull", False), ("method", "markup")),
                            _connector="OR",
                        ),
                        name="category_price_fits_its_method",
                        violation_error_message="Enter the unit price or the markup that the method needs.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("price__gte", 0), ("price", None), _connector="OR"),
                        name="category_price_is_not_negative",
                        violation_error_message="A price must be 0 or more.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("markup__gte", -100), ("markup", None), _connector="OR"),
                        name="category_markup_leaves_a_price",
                        violation_error_message="A markup must be −100 %% or more.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProductPrice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "price_list",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="product_prices",
                        to="contracts.pricelist",
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="contracts.product"),
                ),
                ("unit", models.CharField(default="each", max_length=10)),
                ("price", invoicing_site.floor.fields.PriceField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("price_list", "product", "unit"),
                        name="product_price_once",
                        violation_error_message="The list already has a price for this product and unit.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("price__gte", 0), ("price", None), _connector="OR"),
                        name="product_price_is_not_negative",
                        violation_error_message="A price must be 0 or more.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ContractLineTask",
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
                        related_name="line_tasks",
                        to="contracts.contractline",
                    ),
                ),
                (
                    "task",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="contracts.task"
                    ),
                ),
                ("is_chargeable", models.BooleanField(default=True, verbose_name="chargeable")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("line", "task"),
                        name="line_task_once",
                        violation_error_message="The line already has this task.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ContractLineRole",
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
                        related_name="line_roles",
                        to="contracts.contractline",
                    ),
                ),
                (
                    "role",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="contracts.role"
                    ),
                ),
                ("is_chargeable", models.BooleanField(default=True, verbose_name="chargeable")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("line", "role"),
                        name="line_role_once",
                        violation_error_message="The line already has this role.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ContractLineCategory",
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
                        related_name="line_categories",
                        to="contracts.contractline",
                    ),
                ),
                (
                    "category",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="contracts.category"
                    ),
                ),
                ("is_chargeable", models.BooleanField(default=True, verbose_name="chargeable")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("line", "category"),
                        name="line_category_once",
                        violation_error_message="The line already has this category.",
                    )
                ],
                "verbose_name_plural": "contract line categories",
            },
        ),
        migrations.CreateModel(
            name="LineCustomer",
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
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="customers",
                        to="contracts.contractline",
                    ),
                ),
                (
                    "contract_customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="line_customers",
                        to="contracts.contractcustomer",
                    ),
                ),
                ("split", invoicing_site.floor.fields.PercentField(verbose_name="billing split %")),
                ("is_rounding", models.BooleanField(default=False, verbose_name="takes the rounding")),
                (
                    "limit",
                    invoicing_site.floor.fields.AmountField(
                        blank=True, null=True, verbose_name="not-to-exceed limit"
                    ),
                ),
            ],
            options={
                "ordering": ["line", "pk"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("line", "contract_customer"),
                        name="line_customer_once",
                        violation_error_message="This customer is already on the line.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("is_rounding", True)),
                        fields=("line",),
                        name="line_one_rounding_customer",
                        violation_error_message="Only one customer can take the rounding of a line.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("split__gte", 0), ("split__lte", 100)),
                        name="line_customer_split_is_a_share",
                        violation_error_message="A billing split must be between 0 and 100 %%.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ScheduleEntry",
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
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="schedule",
                        to="contracts.contractline",
                    ),
                ),
                ("run_date", models.DateField()),
                ("cutoff", models.DateField(verbose_name="transaction cutoff")),
                (
                    "status",
                    models.CharField(
                        choices=[("not_run", "not run"), ("succeeded", "succeeded"), ("failed", "failed")],
                        default="not_run",
                        max_length=9,
                    ),
                ),
                ("ran_at", models.DateTimeField(blank=True, null=True)),
                ("result", invoicing_site.floor.reasons.ReasonField()),
            ],
            options={
                "verbose_name_plural": "schedule entries",
                "ordering": ["line", "run_date"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("status__in", ["not_run", "failed"])),
                        fields=["run_date"],
                        name="schedule_due",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("line", "run_date"),
                        name="schedule_run_date_once",
                        violation_error_message="The line already has an invoice run on this date.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Milestone",
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
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="milestones",
                        to="contracts.contractline",
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("name", models.CharField(max_length=200)),
                ("date", models.DateField()),
                ("amount", invoicing_site.floor.fields.AmountField()),
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
                    "status",
                    models.CharField(
                        choices=[
                            ("not_started", "not started"),
                            ("in_progress", "in progress"),
                            ("completed", "completed"),
                        ],
                        default="not_started",
                        max_length=11,
                    ),
                ),
            ],
            options={
                "ordering": ["line", "number"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("line", "number"),
                        name="milestone_number_once",
                        violation_error_message="Another milestone of this line already has this number.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount", 0), _negated=True),
                        name="milestone_has_an_amount",
                        violation_error_message="The amount of a milestone can't be 0.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Retainer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="retainers",
                        to="contracts.projectcontract",
                    ),
                ),
                (
                    "contract_customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="retainers",
                        to="contracts.contractcustomer",
                    ),
                ),
                (
                    "schedule",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="retainers",
                        to="contracts.retainerschedule",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("advance", "advance invoice"), ("request", "payment request")], max_length=7
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                ("date", models.DateField()),
                ("amount", invoicing_site.floor.fields.AmountField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0)),
                        name="retainer_has_an_amount",
                        violation_error_message="The amount of a retainer must be more than 0.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RolePriceOverride",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "role_price",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="overrides",
                        to="contracts.roleprice",
                    ),
                ),
                ("valid_from", models.DateField()),
                ("price", invoicing_site.floor.fields.PriceField()),
                (
                    "customer",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="contracts.customer",
                    ),
                ),
                (
                    "contract",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="contracts.projectcontract",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("customer", None), ("contract", None), _connector="OR"),
                        name="price_override_has_one_scope",
                        violation_error_message="An override is for one customer, one contract or all.",
                    ),
                    models.UniqueConstraint(
                        models.F("role_price"),
                        models.F("valid_from"),
                        django.db.models.functions.comparison.Coalesce("customer", 0),
                        django.db.models.functions.comparison.Coalesce("contract", 0),
                        name="price_override_once_a_day",
                        violation_error_message="There is already an override from this date.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("price__gte", 0), ("price", None), _connector="OR"),
                        name="price_override_is_not_negative",
                        violation_error_message="A price must be 0 or more.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MilestonePart",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "milestone",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parts",
                        to="contracts.milestone",
                    ),
                ),
                (
                    "contract_customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="milestone_parts",
                        to="contracts.contractcustomer",
                    ),
                ),
                ("amount", invoicing_site.floor.fields.AmountField()),
                (
                    "split_from",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="split_into",
                        to="contracts.milestonepart",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("split_from", None)),
                        fields=("milestone", "contract_customer"),
                        name="milestone_part_once_a_customer",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="LegalEntity",
            name="milestone_item_tax_group",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="The item tax group of milestones; without it, invoices with milestones can't be posted",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="contracts.itemtaxgroup",
            ),
        ),
        migrations.AddConstraint(
            model_name="LegalEntity",
            constraint=models.CheckConstraint(
                condition=models.Q(("fiscal_year_start_month__gte", 1), ("fiscal_year_start_month__lte", 12)),
                name="entity_fiscal_year_starts_in_a_month",
                violation_error_message="Enter the start month of the fiscal year, 1 to 12.",
            ),
        ),
        migrations.AddConstraint(
            model_name="LegalEntity",
            constraint=models.CheckConstraint(
                condition=models.Q(("journal_max_lines__gte", 1)),
                name="entity_journal_holds_lines",
                violation_error_message="A journal must have room for at least one line.",
            ),
        ),
        migrations.AddConstraint(
            model_name="LegalEntity",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("electronic_address", ""), ("electronic_address_scheme", "")),
                    models.Q(
                        models.Q(("electronic_address", ""), _negated=True),
                        models.Q(("electronic_address_scheme", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="entity_electronic_address_has_a_scheme",
                violation_error_message="Enter an electronic address together with its scheme.",
            ),
        ),
        migrations.AddConstraint(
            model_name="LegalEntity",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("posts_invoices_by_clock", False),
                    ("separate_confirm_and_post", False),
                    ("require_proposal_approval", True),
                    _connector="OR",
                ),
                name="entity_clock_needs_an_approver",
                violation_error_message="With automatic posting and “separate confirm and post”, also tick “require proposal approval”: the approver is the second person.",
            ),
        ),
    ]
