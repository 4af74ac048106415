"""A bulk action that needs a few words first: a form that keeps the rows chosen on the list."""

from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from invoicing_site.errors import Refused
from invoicing_site.screens import BulkOperation
from invoicing_site.screens.lists import back_to, selection
from invoicing_site.screens.operations import refuse, tell

_KEPT = ("pk", "filter", "stamp", "all_matching")


class BulkForm(BulkOperation):
    """The list posts its selection and gets the form; the form posts both, and the operation is done.

    `operate(rows, form)` returns a Told. What was typed stays when the business refuses.
    """

    form_class = None
    button = "Save"
    danger = False
    template_name = "backlog/bulk_form.html"

    def post(self, request, *args, **kwargs):
        back = back_to(self.list_url, request)
        try:
            rows = selection(self.screen, request, self.permission)
        except Refused as refusal:
            refuse(request, refusal)
            return HttpResponseRedirect(back)
        if "_answered" not in request.POST:
            return self.shown(self.get_form(), rows, back)
        form = self.get_form(request.POST)
        if form.is_valid():
            try:
                answer = self.operate(rows, form)
            except Refused as refusal:
                form.add_error(None, refusal.message)
            else:
                tell(request, answer)
                return HttpResponseRedirect(back)
        return self.shown(form, rows, back)

    def get_form(self, data=None):
        return self.form_class(data)

    def shown(self, form, rows, back):
        kept = [(name, value) for name in _KEPT for value in self.request.POST.getlist(name)]
        n = rows.count()
        context = {
            "title": self.title,
            "lead": f"{n} {self.screen.noun[n != 1]} chosen.",
            "form": form,
            "kept": kept,
            "back": back,
            "button": self.button,
            "danger": self.danger,
            "action": reverse(self.request.resolver_match.view_name),
        }
        return render(self.request, self.template_name, context)

    def operate(self, rows, form):
        raise NotImplementedError
