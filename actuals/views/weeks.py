"""A person's week in a grid: typed, saved as a whole, handed in (APP-1)."""

import datetime

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.html import format_html, format_html_join
from django.views.generic import View

from actuals import categories, operations, weeks
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

_EMPTY = "empty_week_rows"
_SHOWN = 5


class WeekPage(Page):
    """GET shows the week; POST does what the pressed button says, and draws what was typed where it can't."""

    permission = "entry.write"
    title = "Time"
    template_name = "actuals/week.html"

    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **kwargs)
        self.typed, self.problems, self.trouble, self.adding = [], {}, "", {}

    def get(self, request, *args, **kwargs):
        if wanted := request.GET.get("day"):
            day = _day(wanted)
            if day and not days.why_not(day):
                return HttpResponseRedirect(reverse("week", args=[weeks.monday_of(day)]))
            return self.this_week(day)
        if (day := _day(self.kwargs.get("day", ""))) and days.why_not(day):
            return self.this_week(day)
        self.monday = self.chosen_monday()
        return super().get(request, *args, **kwargs)

    def post(self, request, *args, **kwargs):
        self.monday = self.chosen_monday()
        self.resource = resource_of(request)
        if self.resource is None:
            return self.draw()
        self.typed = self.read()
        action = request.POST.get("action", "save")
        try:
            return getattr(self, f"do_{action}", self.do_save)()
        except Refused as refusal:
            self.trouble = refusal.message
            self.problems = getattr(refusal, "problems", {})
        return self.draw()

    def draw(self):
        return self.render_to_response(self.get_context_data())

    def chosen_monday(self):
        text = self.kwargs.get("day")
        day = _day(text) if text else self.request.entity.today()
        if day is None or days.why_not(day):
            raise Http404("That is no day.")
        return weeks.monday_of(day)

    def this_week(self, day):
        """Where another week was asked for that there is not, with the reason."""
        why = days.why_not(day) if day else "That is no day: choose one such as 2026-03-31."
        messages.warning(self.request, f"{why} This is the week of today.")
        return HttpResponseRedirect(reverse("week"))

    # ---- what the buttons do

    def do_save(self):
        saved = operations.save_week(self.resource, self.monday, self.typed, by=self.request.user)
        said = "The week is saved." if saved else "Nothing had changed."
        messages.success(self.request, f"{said}{_kept_words(saved.kept_words)}")
        warn_of_days(self.request, saved.created + saved.changed)
        return self.back(keep=True)

    def do_submit(self):
        week = operations.submit_week(self.resource, self.monday, self.typed, by=self.request.user)
        n = len(week.submitted)
        said = "There was nothing to submit: no hours in draft."
        if n:
            hours = weeks.plain(sum(entry.quantity for entry in week.submitted))
            said = f"{wording.counted(n, 'entry', 'entries')} with {hours} h submitted for approval."
        if week.left_out:
            messages.warning(self.request, format_html("{} {}", said, _left_out(week.left_out)))
        else:
            messages.add_message(self.request, messages.SUCCESS if n else messages.INFO, said)
        warn_of_days(self.request, week.submitted)
        return self.back()

    def do_add(self):
        """Another row; nothing is saved before somebody says so."""
        posted, entity = self.request.POST, self.request.entity
        keys = {name: posted.get(f"add_{name}", "") for name in ("project", "role", "category")}
        keys["task"] = posted.get("task", "")
        self.adding = keys
        project = _one(open_projects(entity), keys["project"])
        if project is None:
            self.adding["trouble"] = "Choose a project that is open for entries."
            return self.draw()
        task = _one(Task.objects.filter(project=project), keys["task"])
        if keys["task"] and task is None:
            self.adding["trouble"] = f"This task is not one of {project}: choose one of its tasks."
            return self.draw()
        role = _one(Role.objects.filter(entity=entity), keys["role"])
        offered = categories.of_time(entity)
        category = _one(offered, keys["category"]) or categories.usual(offered)
        key = weeks.RowKey(project.pk, task and task.pk, role and role.pk, category and category.pk)
        if key in {row.key for row in self.typed}:
            self.adding["trouble"] = "This row is there already."
            return self.draw()
        self.typed.append(weeks.TypedRow(key))
        self.adding = {}
        self.added = str(key)
        return self.draw()

    def do_copy(self):
        """The rows of the week before, empty, to be filled."""
        self._with_last_week(hours=False)
        return self.draw()

    def do_copy_hours(self):
        """The rows and hours of the week before, as drafts, and only where nothing stands."""
        filled = self._with_last_week(hours=True)
        saved = operations.save_week(self.resource, self.monday, self.typed, by=self.request.user)
        warn_of_days(self.request, saved.created)
        said = f"{weeks.plain(filled)} h of last week copied, as drafts."
        messages.success(self.request, said if filled else "There was nothing to copy.")
        return self.back()

    def _with_last_week(self, *, hours):
        last = weeks.week(self.resource, self.monday - datetime.timedelta(days=weeks.DAYS))
        now = weeks.week(self.resource, self.monday)
        self.typed, filled = weeks.with_last_week(now, self.typed, last, hours=hours)
        return filled

    def back(self, *, keep=False):
        """To the week as it is now; rows without hours are remembered for a while, as nothing holds them."""
        kept = dict(list(self.request.session.get(_EMPTY, {}).items())[-3:])
        kept.pop(self.place(), None)
        if keep:
            kept[self.place()] = [
                [str(row.key), row.description]
                for row in self.typed
                if not any(cell.text for cell in row.cells.values())
            ]
        self.request.session[_EMPTY] = kept
        return HttpResponseRedirect(reverse("week", args=[self.monday]))

    def place(self):
        return f"{self.request.entity.pk} {self.monday}"

    def remembered(self):
        for text, words in self.request.session.get(_EMPTY, {}).get(self.place(), ()):
            if key := weeks.RowKey.read(text):
                yield weeks.TypedRow(key, description=words, description_before="")

    # ---- what was typed

    def read(self):
        posted, rows = self.request.POST, {}
        for text in posted.getlist("row")[: weeks.MOST_ROWS * 2]:
            key = weeks.RowKey.read(text)
            if key is None or key in rows:
                continue
            cells = {
                day: weeks.Typed.read(posted[f"h-{key}-{n}"], posted.get(f"b-{key}-{n}", ""))
                for n, day in enumerate(weeks.days_of(self.monday))
                if f"h-{key}-{n}" in posted
            }
            rows[key] = weeks.TypedRow(
                key, cells, posted.get(f"d-{key}", "").strip(), posted.get(f"o-{key}", "")
            )
        return list(rows.values())

    # ---- what is shown

    def get_context_data(self, **context):
        context = super().get_context_data(**context)
        entity, monday = self.request.entity, self.monday
        resource = getattr(self, "resource", None) or resource_of(self.request)
        context |= {
            "monday": monday,
            "days": weeks.days_of(monday),
            "today": entity.today(),
            "previous": monday - datetime.timedelta(days=7),
            "next": monday + datetime.timedelta(days=7),
            "number": monday.isocalendar().week,
            "resource": resource,
            "trouble": self.trouble,
        }
        if resource is None:
            return context
        offered = list(categories.of_time(entity))
        usual = categories.usual(offered)
        rows = weeks.week(resource, monday, typed=self.typed, problems=self.problems, empty=self.remembered())
        tasks = Task.objects.filter(project=key_of(self.adding.get("project", "")))
        return context | {
            "rows": rows,
            "categories": offered,
            "default_category": self.adding.get("category") or str(getattr(usual, "pk", "")),
            "projects": list(open_projects(entity)),
            "roles": list(Role.objects.filter(entity=entity)),
            "tasks": task_choices(tasks.filter(project__entity=entity)),
            "adding": self.adding,
            "added": getattr(self, "added", ""),
            "default_role": self.adding.get("role", ""),
            "day_totals": [
                (day, sum(row.cells[n].counted for row in rows)) for n, day in enumerate(context["days"])
            ],
            "week_total": sum(row.counted for row in rows),
            "has_rejected": any(cell.rejected for row in rows for cell in row.cells),
        }


class ProjectTasks(Screen, View):
    """The tasks of the chosen project, as the options of a select."""

    permission = "entry.write"
    http_method_names = ["get"]

    def get(self, request):
        key = request.GET.get("project") or request.GET.get("add_project") or ""
        project = _one(open_projects(request.entity), key)
        tasks = Task.objects.filter(project=project) if project else ()
        options = format_html_join("", '<option value="{}">{}</option>', ((task.pk, task) for task in tasks))
        return HttpResponse(format_html('<option value="">No task</option>{}', options))


def _kept_words(entries):
    """That what was handed in keeps its description, where a row was described anew."""
    if not entries:
        return ""
    rows = ", ".join(sorted({entry.project.code for entry in entries}))
    n = wording.counted(len(entries), "entry", "entries")
    keep = "keeps its" if len(entries) == 1 else "keep their"
    return f" The new description of {rows} went to its drafts; {n} that can't be changed here {keep} own."


def _left_out(entries):
    """Which rejected entries stay where they are, and how they go in again."""
    shown = format_html_join(
        "; ",
        '<a href="{}">{}</a>',
        ((entry.get_absolute_url(), identity_of(entry)) for entry in entries[:_SHOWN]),
    )
    n = len(entries)
    return format_html(
        "{} left out, rejected and not changed since: {}{}. Change {} here and submit the week again, or "
        "open {} and submit {}.",
        wording.counted(n, "entry was", "entries were"),
        shown,
        f" and {n - _SHOWN} more" if n > _SHOWN else "",
        *(("it", "it", "it as it is") if n == 1 else ("them", "them", "them as they are")),
    )


def _one(rows, key):
    return rows.filter(pk=key_of(key)).first()


def _day(text):
    """The day as an address gives it; None where it is none."""
    try:
        return parse_date(text)
    except ValueError:
        return None
