"""Buttons that post: for one row, for one row with a form, or for the rows selected in a list."""

import hashlib
import logging
import uuid
from dataclasses import dataclass, field

from django.contrib import messages
from django.core.cache import cache
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.generic import FormView, View
from redis.exceptions import RedisError

from invoicing_site.floor import wording
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.seen import CHANGED
from invoicing_site.screens import remedies
from invoicing_site.screens.lists import address_of_chosen, back_to, selection
from invoicing_site.screens.pages import RowScreen, Screen

logger = logging.getLogger(__name__)

_A_DAY = 24 * 60 * 60


@dataclass
class Answer:
    """The answer to an action: a text, the rows that were not changed and why, a link, and how to undo it."""

    text: str
    left: dict = field(default_factory=dict)  # number of rows by reason
    link: str = ""  # the list of the rows that were not changed
    chosen: str = ""  # or, if these are not known, the list of all selected rows
    undo: str = ""  # the address that undoes the action


def show_answer(request, answer):
    """Show the answer as a message on the next page."""
    answer = answer if isinstance(answer, Answer) else Answer(str(answer))
    text = format_html(
        "{}", answer.text if hasattr(answer.text, "__html__") else wording.capital(answer.text)
    )
    if answer.left:
        reasons = format_html_join("; ", "{} {}", ((n, reason) for reason, n in answer.left.items()))
        text = format_html("{} Not changed: {}.", text, reasons)
        if answer.link:
            text = format_html('{} <a href="{}">Show these rows</a>', text, answer.link)
        elif answer.chosen:
            text = format_html('{} <a href="{}">Show the selected rows</a>', text, answer.chosen)
    level = messages.WARNING if answer.left else messages.SUCCESS
    messages.add_message(request, level, text, extra_tags=f"undo:{answer.undo}" if answer.undo else "")


def refuse(request, refusal):
    """Show a refusal as a message, with a link to its remedy if there is one."""
    messages.error(request, remedies.linked_sentence(refusal, request))


def way_back(request, otherwise):
    """The page that the form names in `next`, if it is on this site."""
    wanted = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return wanted
    return otherwise


class Operation(RowScreen, View):
    """One click on one row, by POST only. A refusal is shown as a message."""

    http_method_names = ["post"]
    done = ""

    def post(self, request, *args, **kwargs):
        try:
            answer = self.operate(self.row)
        except Refused as refusal:
            refuse(request, refusal)
            return HttpResponseRedirect(way_back(request, self.refused_url(self.row)))
        show_answer(request, answer if isinstance(answer, Answer) else self.done.format(self.row))
        return HttpResponseRedirect(way_back(request, self.success_url(self.row)))

    def operate(self, row):
        """Call the operation; can return an Answer instead of `done`."""
        raise NotImplementedError

    def success_url(self, row):
        return row.get_absolute_url() if hasattr(row, "get_absolute_url") else reverse("home")

    def refused_url(self, row):
        return self.success_url(row)


def _once_key(user, drawn):
    return f"once-{user.pk}-{hashlib.sha256(drawn.encode()).hexdigest()}"


def _first_time(user, drawn):
    """Whether this rendered form is submitted for the first time, to ignore double clicks."""
    try:
        return cache.add(_once_key(user, drawn), True, _A_DAY)
    except RedisError:
        # Only double clicks are not detected then; constraints prevent what may happen only once.
        logger.exception("Double submissions are not detected: the cache does not answer.")
        return True


def _not_done(user, drawn):
    """Allow the form to be submitted again."""
    try:
        cache.delete(_once_key(user, drawn))
    except RedisError:
        logger.exception("A refused form can't be submitted again unchanged: the cache does not answer.")


def refused_form(view, form, refusal):
    """The form with the refusal above it; after a change by somebody else, it shows the new values."""
    if refusal.code == CHANGED:
        view.check_permission(view.request)  # this reads the row again
        form = view.get_form()
        form.full_clean()
    if not form.non_field_errors():
        form.add_error(None, remedies.linked_sentence(refusal, view.request))
    return form


class FormOperation(Screen, FormView):
    """An operation that needs input first: GET shows the form, POST runs the operation.

    With `model` it acts on one row that the reader may see (`self.row`, with 404 and 403), otherwise on the
    selected legal entity. If the operation is refused, the input stays and the message is above the form.
    """

    model = None
    template_name = "screens/form.html"
    button = "Save"
    done = ""
    danger = False

    def check_permission(self, request):
        if self.model is None:
            super().check_permission(request)
        else:
            RowScreen.check_permission(self, request)

    rows = RowScreen.rows

    def form_valid(self, form):
        drawn = self.request.POST.get("once", "")
        if drawn and not _first_time(self.request.user, drawn):
            messages.warning(self.request, "This form was already submitted. It was processed only once.")
            return HttpResponseRedirect(self.get_success_url())
        done = False
        try:
            answer = self.operate(form)
            done = True
        except Refused as refusal:
            return self.form_invalid(refused_form(self, form, refusal))
        finally:
            if drawn and not done:
                _not_done(self.request.user, drawn)
        if isinstance(answer, HttpResponseRedirect):
            return answer
        if isinstance(answer, Answer) or self.done:
            show_answer(
                self.request,
                answer if isinstance(answer, Answer) else self.done.format(getattr(self, "row", "")),
            )
        return HttpResponseRedirect(self.get_success_url())

    def operate(self, form):
        """Call the operation with `form.cleaned_data`; can return an Answer or a redirect."""
        raise NotImplementedError

    def get_context_data(self, **context):
        context.setdefault("button", self.button)
        context.setdefault("danger", self.danger)
        context.setdefault("object", getattr(self, "row", None))
        context.setdefault("back", self.get_back_url())
        context.setdefault("once", uuid.uuid4().hex)
        return super().get_context_data(**context)

    def get_back_url(self):
        row = getattr(self, "row", None)
        return row.get_absolute_url() if hasattr(row, "get_absolute_url") else reverse("home")

    def get_success_url(self):
        return self.get_back_url()


class BulkOperation(Screen, View):
    """One click on the rows selected in a list (`screen`), by their keys or as all rows of its filter.

    `operate(rows)` gets a queryset of the rows for which the reader has the permission, and returns an
    Answer.
    """

    http_method_names = ["post"]
    screen = None
    list_url = ""  # URL name of the list

    def post(self, request, *args, **kwargs):
        back = back_to(self.list_url, request)
        try:
            rows = selection(self.screen, request, self.permission)
            chosen = address_of_chosen(self.list_url, rows)
            answer = self.operate(rows)
        except Refused as refusal:
            refuse(request, refusal)
            return HttpResponseRedirect(back)
        if isinstance(answer, HttpResponseRedirect):
            return answer
        if isinstance(answer, Answer):
            answer.chosen = chosen
        show_answer(request, answer)
        return HttpResponseRedirect(way_back(request, back))

    def operate(self, rows):
        raise NotImplementedError
