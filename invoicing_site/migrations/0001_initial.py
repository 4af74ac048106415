import django.contrib.auth.models
import django.contrib.auth.validators
import django.core.serializers.json
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "username",
                    models.CharField(
                        error_messages={"unique": "A user with that username already exists."},
                        help_text="Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.",
                        max_length=150,
                        unique=True,
                        validators=[django.contrib.auth.validators.UnicodeUsernameValidator()],
                        verbose_name="username",
                    ),
                ),
                ("first_name", models.CharField(blank=True, max_length=150, verbose_name="first name")),
                ("last_name", models.CharField(blank=True, max_length=150, verbose_name="last name")),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="email address")),
                (
                    "is_staff",
                    models.BooleanField(
                        default=False,
                        help_text="Designates whether the user can log into this admin site.",
                        verbose_name="staff status",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Designates whether this user should be treated as active. Unselect this instead of deleting accounts.",
                        verbose_name="active",
                    ),
                ),
                (
                    "date_joined",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="date joined"),
                ),
                (
                    "language",
                    models.CharField(
                        choices=[("en", "English"), ("nb", "Norsk bokmål")], default="en", max_length=10
                    ),
                ),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "verbose_name": "user",
                "verbose_name_plural": "users",
                "abstract": False,
            },
            managers=[
                ("objects", django.contrib.auth.models.UserManager()),
            ],
        ),
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                (
                    "name",
                    models.CharField(
                        choices=[("clock", "clock"), ("worker", "worker")],
                        max_length=10,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Job",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=40)),
                ("params", models.JSONField(blank=True, default=dict)),
                ("entity", models.CharField(blank=True, max_length=20, verbose_name="legal entity")),
                ("subject_type", models.CharField(blank=True, max_length=60)),
                ("subject_id", models.CharField(blank=True, max_length=40)),
                ("subject_text", models.CharField(blank=True, max_length=300, verbose_name="subject")),
                (
                    "asked_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="requested at"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("running", "running"),
                            ("done", "done"),
                            ("failed", "failed"),
                        ],
                        default="waiting",
                        max_length=7,
                    ),
                ),
                ("done", models.PositiveIntegerField(default=0)),
                ("total", models.PositiveIntegerField(default=0)),
                (
                    "beat_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="last heartbeat"),
                ),
                (
                    "due_at",
                    models.DateTimeField(
                        help_text="If the job has not ended by then, it is started again",
                        verbose_name="next attempt at",
                    ),
                ),
                ("tries", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                ("ended_at", models.DateTimeField(blank=True, db_index=True, null=True)),
                ("outcome_code", models.CharField(blank=True, max_length=40, verbose_name="outcome")),
                (
                    "outcome",
                    models.JSONField(blank=True, default=dict, verbose_name="details of the outcome"),
                ),
                ("is_problem", models.BooleanField(default=False, verbose_name="problem")),
                (
                    "asked_by",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: the system",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="requested by",
                    ),
                ),
            ],
            options={
                "verbose_name": "background job",
                "ordering": ["-pk"],
                "indexes": [
                    models.Index(fields=["subject_type", "subject_id"], name="job_subject"),
                    models.Index(
                        condition=models.Q(("state__in", ["waiting", "running"])),
                        fields=["due_at"],
                        name="job_open",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "at",
                    models.DateTimeField(
                        db_index=True, default=django.utils.timezone.now, verbose_name="time"
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: the system",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                ("entity", models.CharField(blank=True, max_length=20, verbose_name="legal entity")),
                ("action", models.CharField(max_length=60)),
                ("subject_type", models.CharField(blank=True, max_length=60)),
                ("subject_id", models.CharField(blank=True, max_length=40)),
                ("subject_text", models.CharField(blank=True, max_length=300)),
                (
                    "detail",
                    models.JSONField(
                        blank=True, default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder
                    ),
                ),
            ],
            options={
                "ordering": ["-at", "-pk"],
                "indexes": [
                    models.Index(fields=["subject_type", "subject_id"], name="audit_subject"),
                    models.Index(fields=["action", "at"], name="audit_action"),
                ],
            },
        ),
        migrations.CreateModel(
            name="StoredFile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sha256", models.CharField(max_length=64, unique=True, verbose_name="SHA-256")),
                ("size", models.PositiveBigIntegerField(verbose_name="size in bytes")),
                ("media_type", models.CharField(max_length=100)),
                (
                    "name",
                    models.CharField(
                        help_text="The name of the file when it was first stored", max_length=255
                    ),
                ),
                ("stored_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "stored_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SavedView",
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
                        related_name="saved_views",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("page", models.CharField(help_text="The list that the view belongs to", max_length=100)),
                ("name", models.CharField(max_length=100)),
                (
                    "query",
                    models.TextField(
                        blank=True, help_text="Filters, order and columns, as in the address of the list"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("user", "page", "name"), name="saved_view_name_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Notice",
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
                        related_name="notices",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="time")),
                ("text", models.CharField(max_length=500)),
                ("url", models.CharField(blank=True, max_length=300)),
                ("is_problem", models.BooleanField(default=False, verbose_name="problem")),
                ("read_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-at"],
                "indexes": [models.Index(fields=["user", "read_at"], name="notice_unread")],
            },
        ),
        migrations.CreateModel(
            name="SealPending",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("table_name", models.CharField(max_length=63)),
                (
                    "guard",
                    models.CharField(
                        blank=True, help_text="If empty: all guards of the table", max_length=30
                    ),
                ),
                (
                    "ids",
                    models.TextField(
                        help_text="Separated by commas; “17-” is row 17 and all later rows (SQLite)"
                    ),
                ),
                ("noted_at", models.DateTimeField(verbose_name="recorded at")),
            ],
            options={
                "verbose_name_plural": "rows pending a seal",
                "indexes": [
                    models.Index(fields=["table_name", "noted_at"], name="seal_pending_since"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Seal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveBigIntegerField(unique=True)),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="time")),
                ("rows", models.PositiveIntegerField()),
                (
                    "heads",
                    models.JSONField(
                        default=dict, help_text="The last voucher of each legal entity at this time"
                    ),
                ),
                ("previous", models.CharField(blank=True, max_length=64, verbose_name="digest before")),
                ("digest", models.CharField(max_length=64)),
            ],
            options={"ordering": ["-number"]},
        ),
        migrations.CreateModel(
            name="SealedRows",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "seal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parts",
                        to="invoicing_site.seal",
                    ),
                ),
                ("table_name", models.CharField(max_length=63)),
                ("guard", models.CharField(max_length=30)),
                (
                    "columns",
                    models.TextField(
                        help_text="The names of the columns, separated by spaces; the first is the key"
                    ),
                ),
                ("ids", models.BinaryField(help_text="Eight bytes for each row, in ascending order")),
                (
                    "hashes",
                    models.BinaryField(
                        help_text="The first eight bytes of the SHA-256 hash of each row, in the same order"
                    ),
                ),
                ("digest", models.CharField(max_length=64)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("table_name", "guard", "seal"), name="sealed_once_a_segment"
                    )
                ],
                "verbose_name_plural": "sealed rows",
            },
        ),
    ]
