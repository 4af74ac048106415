"""The pages of the audit trail: who did what and when, with old and new values (SEC-3)."""

import datetime
from dataclasses import dataclass

import django_filters
import django_tables2 as tables
from django.apps import apps
from django.core.exceptions import FieldError
from django.db.models import Q
from django.http import Http404
from django.urls import NoReverseMatch
from django.utils import timezone
from django.views.generic import TemplateView

from contracts.models import Membership
from invoicing_site.floor import formatting
from invoicing_site.floor.audit_words import in_words
from invoicing_site.floor.querysets import values_of
from invoicing_site.models import AuditEvent, User
from invoicing_site.screens import ListScreen
from invoicing_site.screens.finding import RowFilter
from invoicing_site.screens.forms import DayFilter, SearchFilter
from invoicing_site.screens.pages import Screen
from invoicing_site.screens.tables import DayColumn, MainColumn, Table, TextColumn

# Actions outside of any legal entity, such as signing in.
SIGNING_IN = [
    f"invoicing_site.{verb}"
    for verb in (
        *("sign_in", "sign_out", "refuse_sign_in", "change_password", "choose_password"),
        *("send_password_link", "change_mail_address"),
    )
]
_MANY = 200  # the number of list items on the page


def subject_kind(subject_type):
    """The subject's model in words; the stored name if the model no longer exists."""
    try:
        return str(apps.get_model(subject_type)._meta.verbose_name)
    except (LookupError, ValueError):
        return subject_type


def _members(request):
    return User.objects.filter(pk__in=Membership.objects.filter(entity=request.entity).values("user"))


def _actions():
    found = ((action, in_words(action)) for action in values_of(AuditEvent, "action"))
    return sorted(found, key=lambda choice: choice[1])


def _subjects():
    found = filter(None, values_of(AuditEvent, "subject_type"))
    return [(kind, subject_kind(kind).capitalize()) for kind in found]


class AuditFilter(django_filters.FilterSet):
    q = SearchFilter("subject_text", "action", "subject_id", placeholder="Subject, action")
    by = RowFilter(label="Who", queryset=_members, empty_label="Anyone")
    action = django_filters.ChoiceFilter(label="Action", choices=_actions, empty_label="Any")
    subject_type = django_filters.ChoiceFilter(label="Record", choices=_subjects, empty_label="Anything")
    since = DayFilter(label="From", method="from_day")
    until = DayFilter(label="To", method="to_day")

    class Meta:
        model = AuditEvent
        fields = []

    def from_day(self, rows, name, day):
        return rows.filter(at__gte=_midnight(day))

    def to_day(self, rows, name, day):
        if day == datetime.date.max:
            return rows
        return rows.filter(at__lt=_midnight(day + datetime.timedelta(days=1)))


def _midnight(day):
    # Compare timestamps, so that their index is used.
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time()))


class AuditTable(Table):
    action = MainColumn(verbose_name="What", url="audit_event")
    at = DayColumn(verbose_name="When")
    by = tables.Column(verbose_name="Who", empty_values=(), order_by=("by__username",))
    subject_text = TextColumn(
        verbose_name="Record",
        empty_values=(),
        sub=lambda event: f"{subject_kind(event.subject_type).capitalize()} {event.subject_id}".strip(),
    )

    class Meta:
        model = AuditEvent
        fields = ()

    def render_action(self, value, record, column):
        return MainColumn.render(column, in_words(value), record)

    def value_action(self, value):
        return in_words(value)

    def render_by(self, record):
        return who(record)

    def value_by(self, record):
        return who(record)


def who(event):
    """The user who did it; for a refused sign-in, the name that was typed."""
    if event.by is not None:
        return str(event.by)
    if event.action == "invoicing_site.refuse_sign_in" and isinstance(event.detail, dict):
        return f"“{event.detail.get('username', '')}”"
    return "The system"


class AuditTrail(ListScreen):
    """The events of the selected legal entity, newest first, and the sign-ins of its members."""

    model = AuditEvent
    permission = "audit.view"
    template_name = "home/audit_trail.html"
    title = "Audit trail"
    lead = "Every action, with person and time. Events can't be changed."
    filterset_class = AuditFilter
    table_class = AuditTable
    noun = ("event", "events")
    empty_title = "No events"
    empty_text = "No rows match. Remove a filter to see more."

    @classmethod
    def rows(cls, request):
        """Events of the entity by its code; sign-ins have none and are shown in the user's entities."""
        names = dict(_members(request).values_list("pk", "username"))
        door = Q(entity="", action__in=SIGNING_IN)
        about = Q(subject_type=User._meta.label_lower, subject_id__in=[str(pk) for pk in names])
        theirs = about | Q(by=None, detail__username__in=list(names.values()))
        return AuditEvent.objects.filter(Q(entity=request.entity.code) | door & theirs)

    def get_queryset(self):
        return self.rows(self.request).select_related("by").order_by("-at", "-pk")


@dataclass(frozen=True)
class Change:
    """One value of an event: its name, the old value if it is known, and the new value."""

    name: str
    before: str
    after: str
    changed: bool = True


class AuditEventPage(Screen, TemplateView):
    """One event with all its values, and a link to its subject if the reader may see it."""

    permission = "audit.view"
    template_name = "home/audit_event.html"

    def get_context_data(self, **context):
        events = AuditTrail.rows(self.request).select_related("by")
        event = events.filter(pk=self.kwargs["pk"]).first()
        if event is None:
            raise Http404("There is no such event.")
        compared, others = parts_of(event.detail)
        return super().get_context_data(
            object=event,
            title=in_words(event.action),
            who=who(event),
            subject_kind=subject_kind(event.subject_type).capitalize(),
            subject_url=address_of(event, self.request.user),
            compared=compared,
            others=others,
            **context,
        )


def address_of(event, user):
    """The page of the event's subject, if there is one and the reader may see it."""
    try:
        model = apps.get_model(event.subject_type)
        rows = model._default_manager.all()
        if not hasattr(model, "get_absolute_url") or not hasattr(rows, "visible_to"):
            return ""
        row = rows.visible_to(user).filter(pk=event.subject_id).first()
        return row.get_absolute_url() if row is not None else ""
    except (LookupError, ValueError, FieldError, NoReverseMatch):
        return ""


def parts_of(detail):
    """The content of an event: old and new values, and all other values by name."""
    if not isinstance(detail, dict):
        return [], list(flat(detail))
    rest = dict(detail)
    compared = []
    if "before" in rest or "after" in rest:
        compared += _compared(rest.pop("before", None), rest.pop("after", None))
    changed = rest.get("changed")
    pairs = changed.values() if isinstance(changed, dict) else ()
    if pairs and all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        for name, (before, after) in rest.pop("changed").items():
            compared += _compared({name: before}, {name: after})
    return compared, list(flat(rest))


def _compared(before, after):
    was, now = dict(flat(before)), dict(flat(after))
    names = list(dict.fromkeys([*was, *now]))
    return [
        Change(name, was.get(name, ""), now.get(name, ""), was.get(name, "") != now.get(name, ""))
        for name in names
    ]


def flat(value, name=""):
    """A JSON value as pairs of a name and a text; names of nested values include the path."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from flat(each, f"{name} › {_plain_name(key)}" if name else _plain_name(key))
    elif isinstance(value, list) and any(isinstance(each, dict | list) for each in value):
        for number, each in enumerate(value[:_MANY], 1):
            yield from flat(each, f"{name} {number}".strip() if len(value) > 1 else name)
        if len(value) > _MANY:
            yield name, f"and {formatting.count(len(value) - _MANY)} more"
    elif isinstance(value, list):
        more = f" and {formatting.count(len(value) - _MANY)} more" if len(value) > _MANY else ""
        yield name, ", ".join(map(_text, value[:_MANY])) + more
    elif name or value is not None:
        yield name or "Value", _text(value)


def _plain_name(key):
    return str(key).replace("_", " ")


def _text(value):
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
