"""Shared models: users, audit events, stored files, notices, messages and seals."""

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.urls import reverse
from django.utils import timezone

from invoicing_site.floor import guards


class User(AbstractUser):
    """One person who signs in. Memberships of legal entities define what the person may do."""

    language = models.CharField(max_length=10, choices=settings.LANGUAGES, default="en")

    def __str__(self):
        return self.get_full_name() or self.username


class AuditEvent(models.Model):
    """One action: who, when, on which record, with old and new values. Never changed (SEC-3)."""

    at = models.DateTimeField("time", default=timezone.now, db_index=True)
    by = models.ForeignKey(
        User, models.PROTECT, verbose_name="user", null=True, blank=True, help_text="Empty: the system"
    )
    entity = models.CharField("legal entity", max_length=20, blank=True)
    action = models.CharField(max_length=60)
    subject_type = models.CharField(max_length=60, blank=True)
    subject_id = models.CharField(max_length=40, blank=True)
    subject_text = models.CharField(max_length=300, blank=True)
    detail = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["subject_type", "subject_id"], name="audit_subject"),
            models.Index(fields=["action", "at"], name="audit_action"),
        ]

    def __str__(self):
        return f"{self.action} {self.subject_text}"


class StoredFile(models.Model):
    """A file identified by the hash of its bytes: the same bytes are stored once and never change."""

    sha256 = models.CharField("SHA-256", max_length=64, unique=True)
    size = models.PositiveBigIntegerField("size in bytes")
    media_type = models.CharField(max_length=100)
    name = models.CharField(max_length=255, help_text="The name of the file when it was first stored")
    stored_at = models.DateTimeField(default=timezone.now)
    stored_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, db_index=False)

    def __str__(self):
        return self.name


class SavedView(models.Model):
    """A list with its filter, order and columns, saved under a name by one person."""

    user = models.ForeignKey(User, models.CASCADE, related_name="saved_views")
    page = models.CharField(max_length=100, help_text="The list that the view belongs to")
    name = models.CharField(max_length=100)
    query = models.TextField(
        blank=True, help_text="Filters, order and columns, as in the address of the list"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "page", "name"], name="saved_view_name_once")]

    def __str__(self):
        return self.name


class Notice(models.Model):
    """A message for one person: a background job ended, a document is ready."""

    user = models.ForeignKey(User, models.CASCADE, related_name="notices")
    at = models.DateTimeField("time", default=timezone.now)
    text = models.CharField(max_length=500)
    url = models.CharField(max_length=300, blank=True)
    is_problem = models.BooleanField("problem", default=False)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-at"]
        indexes = [models.Index(fields=["user", "read_at"], name="notice_unread")]

    def __str__(self):
        return self.text


class Job(models.Model):
    """One background job, from its request to its outcome; see floor/jobs.py."""

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        RUNNING = "running", "running"
        DONE = "done", "done"
        FAILED = "failed", "failed"

    kind = models.CharField(max_length=40)
    params = models.JSONField(default=dict, blank=True)
    entity = models.CharField("legal entity", max_length=20, blank=True)
    subject_type = models.CharField(max_length=60, blank=True)
    subject_id = models.CharField(max_length=40, blank=True)
    subject_text = models.CharField("subject", max_length=300, blank=True)
    asked_by = models.ForeignKey(
        User,
        models.CASCADE,
        verbose_name="requested by",
        null=True,
        blank=True,
        help_text="Empty: the system",
    )
    asked_at = models.DateTimeField("requested at", default=timezone.now)
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    beat_at = models.DateTimeField("last heartbeat", default=timezone.now)
    due_at = models.DateTimeField(
        "next attempt at", help_text="If the job has not ended by then, it is started again"
    )
    tries = models.PositiveSmallIntegerField("attempts", default=0)
    ended_at = models.DateTimeField(null=True, blank=True, db_index=True)
    outcome_code = models.CharField("outcome", max_length=40, blank=True)
    outcome = models.JSONField("details of the outcome", default=dict, blank=True)
    is_problem = models.BooleanField("problem", default=False)

    class Meta:
        verbose_name = "background job"
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["subject_type", "subject_id"], name="job_subject"),
            models.Index(
                fields=["due_at"], condition=models.Q(state__in=["waiting", "running"]), name="job_open"
            ),
        ]

    def __str__(self):
        return f"job {self.pk} ({self.kind})"

    def get_absolute_url(self):
        return reverse("job", args=[self.pk])

    @property
    def is_open(self) -> bool:
        """Whether it is waiting or running."""
        return self.state in (self.State.WAITING, self.State.RUNNING)


class Heartbeat(models.Model):
    """The last heartbeat of the clock or of a worker; see heartbeats.py."""

    class Name(models.TextChoices):
        CLOCK = "clock", "clock"
        WORKER = "worker", "worker"

    name = models.CharField(max_length=10, choices=Name, primary_key=True)
    at = models.DateTimeField()

    def __str__(self):
        return self.name


class SealPending(models.Model):
    """Guarded rows that are in no seal yet; written by triggers, and by `migrate`."""

    table_name = models.CharField(max_length=63)
    guard = models.CharField(max_length=30, blank=True, help_text="If empty: all guards of the table")
    ids = models.TextField(help_text="Separated by commas; “17-” is row 17 and all later rows (SQLite)")
    noted_at = models.DateTimeField("recorded at")

    class Meta:
        verbose_name_plural = "rows pending a seal"
        indexes = [models.Index(fields=["table_name", "noted_at"], name="seal_pending_since")]

    def __str__(self):
        return f"{self.table_name} {self.ids[:50]}"


class Seal(models.Model):
    """One segment of the chain over all rows that may no longer change; see seals.py."""

    number = models.PositiveBigIntegerField(unique=True)
    at = models.DateTimeField("time", default=timezone.now)
    rows = models.PositiveIntegerField()
    heads = models.JSONField(default=dict, help_text="The last voucher of each legal entity at this time")
    previous = models.CharField("digest before", max_length=64, blank=True)
    digest = models.CharField(max_length=64)

    class Meta:
        ordering = ["-number"]

    def __str__(self):
        return f"Seal {self.number}"


class SealedRows(models.Model):
    """The rows of one table in a seal: their ids, eight bytes of each row's hash, and a digest of the hashes.

    The names of the columns are stored, so that a column added later does not change old hashes.
    """

    seal = models.ForeignKey(Seal, models.PROTECT, related_name="parts")
    table_name = models.CharField(max_length=63)
    guard = models.CharField(max_length=30)
    columns = models.TextField(
        help_text="The names of the columns, separated by spaces; the first is the key"
    )
    ids = models.BinaryField(help_text="Eight bytes for each row, in ascending order")
    hashes = models.BinaryField(
        help_text="The first eight bytes of the SHA-256 hash of each row, in the same order"
    )
    digest = models.CharField(max_length=64)

    class Meta:
        verbose_name_plural = "sealed rows"
        constraints = [
            models.UniqueConstraint(fields=["table_name", "guard", "seal"], name="sealed_once_a_segment")
        ]

    def __str__(self):
        return f"{self.table_name} of {self.seal}"


guards.insert_only(AuditEvent)
guards.insert_only(StoredFile)
# Verifying finds changes of stored seals. Sealing the seals would find nothing more.
guards.insert_only(Seal, is_sealed=False)
guards.insert_only(SealedRows, is_sealed=False)
