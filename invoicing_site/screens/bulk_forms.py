"""A bulk action that needs input first: a form that keeps the rows selected in the list."""

from django.http import HttpResponseRedirect
from django.views.generic import FormView

from invoicing_site.floor.errors import Refused
from invoicing_site.floor.wording import counted
from invoicing_site.screens.lists import back_to, selection
from invoicing_site.screens.operations import refuse, refused_form, show_answer
from invoicing_site.screens.pages import Screen

_KEPT = ("pk", "filter", "stamp", "all_matching", "drawn")


class BulkForm(Screen, FormView):
    """The list (`screen`) posts its selection and gets the form; the form posts both, and the operation runs.

    `operate(form)` acts on `self.rows`, the selected rows for which the reader has the permission, and
    returns the message. The rows are looked up again each time; the input stays if the operation is refused.
    """

    http_method_names = ["post"]
    screen = None
    list_url = ""  # URL name of the list
    template_name = "screens/bulk_form.html"
    button = "Save"
    danger = False

    def post(self, request, *args, **kwargs):
        try:
            self.rows = selection(self.screen, request, self.permission)
        except Refused as refusal:
            refuse(request, refusal)
            return HttpResponseRedirect(self.get_back_url())
        self.chosen = self.rows.count()
        if "_answered" not in request.POST:
            return self.render_to_response(self.get_context_data())
        return super().post(request, *args, **kwargs)

    def get_form_kwargs(self):
        kwargs = super().get_form_kwargs()
        if "_answered" not in self.request.POST:  # rows are selected, nothing is typed yet
            del kwargs["data"], kwargs["files"]
        return kwargs

    def form_valid(self, form):
        try:
            answer = self.operate(form)
        except Refused as refusal:
            form = refused_form(self, form, refusal)
            return self.form_invalid(form)
        show_answer(self.request, answer)
        return HttpResponseRedirect(self.get_back_url())

    def operate(self, form):
        """Call the operation with `self.rows`; return the message or an Answer."""
        raise NotImplementedError

    def get_back_url(self):
        """The list in which the rows were selected."""
        return back_to(self.list_url, self.request)

    def get_context_data(self, **context):
        posted = self.request.POST
        context.setdefault("kept", [(name, value) for name in _KEPT for value in posted.getlist(name)])
        context.setdefault("back", self.get_back_url())
        context.setdefault("button", self.button)
        context.setdefault("danger", self.danger)
        context.setdefault("lead", self.lead or f"{counted(self.chosen, *self.screen.noun)} selected.")
        return super().get_context_data(**context)
