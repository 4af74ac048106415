"""A person's week in a grid: enter, save, submit (APP-1)."""

import datetime

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.views.generic import View

from actuals import categories, operations, week_rows, weeks
from actuals.forms import open_projects, task_choices
from actuals.naming import identity_of
from actuals.views.entries import warn_of_days
from actuals.views.expenses import resource_of
from contracts.models import Role, Task
from invoicing_site.floor import days, wording
from invoicing_site.floor.errors import Refused
from invoicing_site.screens import Page
from invoicing_site.screens.lists import key_of
from invoicing_site.screens.pages import Screen

_SHOWN = 5


class Week(Page):
    """The week of an address: its stored rows, and the input that is not saved."""

    permission = "entry.write"
    title = "Time"
    template_name = "actuals/week.html"

    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **kwargs)
        self.typed, self.problems, self.problem, self.adding, self.added = [], {}, "", {}, ""

    @cached_property
    def resource(self):
        return resource_of(self.request)

    @cached_property
    def monday(self):
        text = self.kwargs.get("day")
        day = _day(text) if text else self.request.entity.today()
        if day is None or days.why_not(day):
            raise Http404("This is not a valid date.")
        return weeks.monday_of(day)

    @property
    def place(self):
        return f"{self.request.entity.pk} {self.monday}"

    def get_context_data(self, **context):
        context = super().get_context_data(**context) | _around(self.monday)
        context |= {"today": self.request.entity.today(), "resource": self.resource, "problem": self.problem}
        if self.resource is None:
            return context
        empty = week_rows.remembered(self.request.session, self.place)
        rows = weeks.week(self.resource, self.monday, typed=self.typed, problems=self.problems, empty=empty)
        context |= {"rows": rows, "adding": self.adding, "added": self.added}
        return context | _figures(rows, context["days"]) | _offered(self.request.entity, self.adding)


def _around(monday):
    """The days of the week, and the weeks before and after it."""
    return {
        "monday": monday,
        "days": weeks.days_of(monday),
        "previous": monday - datetime.timedelta(days=weeks.DAYS),
        "next": monday + datetime.timedelta(days=weeks.DAYS),
        "number": monday.isocalendar().week,
    }


def _figures(rows, shown):
    return {
        "day_totals": [(day, sum(row.cells[n].counted for row in rows)) for n, day in enumerate(shown)],
        "week_total": sum(row.counted for row in rows),
        "has_rejected": any(cell.rejected for row in rows for cell in row.cells),
    }


def _offered(entity, adding):
    """The choices for a new row, with the selected values."""
    offered = list(categories.of_time(entity))
    tasks = Task.objects.filter(project=key_of(adding.get("project", "")), project__entity=entity)
    return {
        "categories": offered,
        "default_category": adding.get("category") or str(getattr(categories.default_of(offered), "pk", "")),
        "projects": list(open_projects(entity)),
        "roles": list(Role.objects.filter(entity=entity)),
        "tasks": task_choices(tasks),
        "default_role": adding.get("role", ""),
    }


class WeekActions(Week):
    """The actions of the buttons below the week; a refusal is shown next to the input."""

    def post(self, request, *args, **kwargs):
        if self.resource is None:
            return self.draw()
        self.typed = week_rows.posted_rows(request.POST, self.monday)
        try:
            return getattr(self, f"do_{request.POST.get('action', 'save')}", self.do_save)()
        except Refused as refusal:
            self.problem = refusal.message
            self.problems = getattr(refusal, "problems", {})
        return self.draw()

    def draw(self):
        return self.render_to_response(self.get_context_data())

    def do_save(self):
        saved = operations.save_week(self.resource, self.monday, self.typed, by=self.request.user)
        said = "The week is saved." if saved else "There were no changes."
        messages.success(self.request, f"{said}{_kept_words(saved.kept_words)}")
        warn_of_days(self.request, saved.created + saved.changed)
        return self.back(keep=self.typed)

    def do_submit(self):
        week = operations.submit_week(self.resource, self.monday, self.typed, by=self.request.user)
        level, said = _submitted(week)
        messages.add_message(self.request, level, said)
        warn_of_days(self.request, week.submitted)
        return self.back()

    def do_add(self):
        """Add another row, without saving."""
        self.adding = week_rows.chosen_keys(self.request.POST)
        try:
            row = week_rows.new_row(self.request.entity, self.adding, self.typed)
        except Refused as refusal:
            self.adding["problem"] = refusal.message
            return self.draw()
        self.typed.append(row)
        self.adding, self.added = {}, str(row.key)
        return self.draw()

    def do_copy(self):
        """Show the rows of the previous week, without hours."""
        self.typed, _ = weeks.copied(self.resource, self.monday, self.typed, hours=False)
        return self.draw()

    def do_copy_hours(self):
        """Save the rows and hours of the previous week as drafts, only in empty cells."""
        self.typed, filled = weeks.copied(self.resource, self.monday, self.typed, hours=True)
        saved = operations.save_week(self.resource, self.monday, self.typed, by=self.request.user)
        warn_of_days(self.request, saved.created)
        said = f"{weeks.plain(filled)} h of last week copied, as drafts."
        messages.success(self.request, said if filled else "There was nothing to copy.")
        return self.back()

    def back(self, *, keep=()):
        """Redirect to the week; rows without hours are remembered for a while."""
        week_rows.remember(self.request.session, self.place, keep)
        return HttpResponseRedirect(reverse("week", args=[self.monday]))


class WeekPage(WeekActions):
    """GET shows the week of a date; POST runs the action of the button."""

    def get(self, request, *args, **kwargs):
        wanted = request.GET.get("day")
        day = _day(wanted or self.kwargs.get("day", ""))
        why = days.why_not(day) if day else "This is not a valid date. Use the form 2026-03-31."
        if wanted and not why:
            return HttpResponseRedirect(reverse("week", args=[weeks.monday_of(day)]))
        if wanted or (day and why):
            messages.warning(request, f"{why} This is the current week.")
            return HttpResponseRedirect(reverse("week"))
        return super().get(request, *args, **kwargs)


def _submitted(week):
    """The result of submitting the week, with the level of the message."""
    n = len(week.submitted)
    said = "There are no draft hours to submit."
    if n:
        hours = weeks.plain(sum(entry.quantity for entry in week.submitted))
        said = f"{wording.counted(n, 'entry', 'entries')} with {hours} h submitted for approval."
    if week.left_out:
        return messages.WARNING, format_html("{} {}", said, _left_out(week.left_out))
    return messages.SUCCESS if n else messages.INFO, said


class ProjectTasks(Screen, View):
    """The tasks of the selected project, as options of a select box."""

    permission = "entry.write"
    http_method_names = ["get"]

    def get(self, request):
        key = request.GET.get("project") or request.GET.get("add_project") or ""
        project = week_rows.one(open_projects(request.entity), key)
        tasks = Task.objects.filter(project=project) if project else ()
        options = format_html_join("", '<option value="{}">{}</option>', ((task.pk, task) for task in tasks))
        return HttpResponse(format_html('<option value="">No task</option>{}', options))


def _kept_words(entries):
    """A note that submitted entries keep their description, if the description of a row was changed."""
    if not entries:
        return ""
    rows = ", ".join(sorted({entry.project.code for entry in entries}))
    n = wording.counted(len(entries), "entry", "entries")
    keep = "keeps its" if len(entries) == 1 else "keep their"
    return (
        f" The new description of {rows} was saved on its drafts; {n} that can't be changed here {keep} own."
    )


def _left_out(entries):
    """The rejected entries that were not submitted, and how to submit them."""
    shown = format_html_join(
        "; ",
        '<a href="{}">{}</a>',
        ((entry.get_absolute_url(), identity_of(entry)) for entry in entries[:_SHOWN]),
    )
    n = len(entries)
    return format_html(
        "{} left out, rejected and not changed since: {}{}. Change {} here and submit the week again, or "
        "open {} and submit {} unchanged.",
        wording.counted(n, "entry was", "entries were"),
        shown,
        f" and {n - _SHOWN} more" if n > _SHOWN else "",
        *(("it", "it", "it") if n == 1 else ("them", "them", "them")),
    )


def _day(text):
    """The date in an address; None if it is not valid."""
    try:
        return parse_date(text)
    except ValueError:
        return None
