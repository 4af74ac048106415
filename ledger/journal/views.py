"""Integration journals: actuals are added to them, reviewed, corrected and posted (JRN-1 to JRN-4)."""

from collections import Counter

from django.contrib import messages
from django.db.models import BooleanField, Count, ExpressionWrapper, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html

from actuals.models import Actual, ActualToJournal
from actuals.naming import title_of
from invoicing_site.floor import jobs, moves
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import ExactSum
from invoicing_site.floor.wording import counted
from invoicing_site.screens import (
    Action,
    Answer,
    BulkForm,
    BulkOperation,
    ListScreen,
    Operation,
    Page,
)
from invoicing_site.screens.lines import LinesScreen, back_to_lines
from invoicing_site.screens.operations import refuse, show_answer
from invoicing_site.screens.remedies import linked_sentence
from ledger.journal.filters import JournalFilter, JournalLineFilter
from ledger.journal.forms import JournalLinesForm
from ledger.journal.left_out import old_rates
from ledger.journal.operations import journals as operations
from ledger.journal.tables import JournalLineTable, JournalTable
from ledger.models import IntegrationJournal, JournalLine
from ledger.models.journal import TAXED_OTHERWISE

# More lines than this are posted in the background.
AT_ONCE = 1000
# The number of waiting actuals that are listed on their page.
LISTED = 200

_Status = IntegrationJournal.Status


def _of_lines(value, **filters):
    lines = JournalLine.objects.filter(journal=OuterRef("pk"), **filters).order_by().values("journal")
    return Subquery(lines.annotate(found=value).values("found"))


class Journals(ListScreen):
    """The journals of the legal entity, the newest first."""

    model = IntegrationJournal
    permission = "journal.view"
    template_name = "ledger/journals.html"
    title = "Integration journals"
    lead = "Actuals on their way into the ledger. Review them, then post them."
    filterset_class = JournalFilter
    table_class = JournalTable
    noun = ("journal", "journals")
    empty_title = "No journals"
    empty_text = "Add actuals to journals, or remove a filter to see more."
    totals_template = "ledger/journal_totals.html"
    has_totals = True
    actions = (
        Action(
            "post_chosen_journals",
            "Post",
            "journal.post",
            icon="book-check",
            style="primary",
            confirm="Post {n} selected? Posted lines can't change. Lines in error move to a new journal.",
        ),
        Action("back_to_draft_chosen", "Back to draft", "journal.edit", icon="undo-2"),
    )

    @classmethod
    def rows(cls, request):
        return super().rows(request).order_by("-pk")

    def get_queryset(self):
        amount = ExactSum("accounting_amount")
        return (
            self.rows(self.request)
            .select_related("entity", "original", "posted_by")
            .annotate(
                held=Coalesce(_of_lines(Count("pk")), 0),
                in_error=Coalesce(_of_lines(Count("pk", filter=Q(error__isnull=False))), 0),
                cost=_of_lines(amount, actual__type=Actual.Type.COST),
                sales=_of_lines(amount, actual__type=Actual.Type.UNBILLED_SALES),
            )
        )

    def summed(self, rows):
        lines = JournalLine.objects.filter(journal__in=rows.order_by().values("pk"))
        return {"sides": _sides(lines)} if self.adds_up(lines) else {}

    def get_context_data(self, **context):
        waiting = _waiting(self.request.entity).count()
        return super().get_context_data(waiting=waiting, may_add=self.request.may("journal.edit"), **context)


def _sides(lines):
    """Number and sum of the lines for cost and for unbilled sales, in the accounting currency."""
    sums = lines.order_by().values("actual__type", currency=F("journal__entity__currency"))
    labels = dict(Actual.Type.choices)
    return [
        {"label": labels[row["actual__type"]], **row}
        for row in sums.annotate(n=Count("pk"), sum=ExactSum("accounting_amount")).order_by("actual__type")
    ]


def _waiting(entity):
    return ActualToJournal.objects.filter(entity=entity)


class WaitingActuals(Page):
    """The actuals that are in no journal, and why some of them could not be added to one (JRN-2)."""

    permission = "journal.view"
    template_name = "ledger/journal_waiting.html"
    title = "Actuals that wait for a journal"

    def get_context_data(self, **context):
        waiting = _waiting(self.request.entity)
        related = ("project", "resource", "task", "category", "product")
        rows = waiting.select_related(*(f"actual__{name}" for name in related))
        # Those that could not be added have a time for the next attempt.
        first = rows.order_by(F("retry_after").asc(nulls_last=True), "pk")[:LISTED]
        return super().get_context_data(
            rows=[(row.actual, title_of(row.actual), row.reason) for row in first],
            waiting=waiting.count(),
            may_add=self.request.may("journal.edit"),
            **context,
        )


class AddToJournals(Page):
    """Adds every waiting actual to a draft journal (JRN-1)."""

    http_method_names = ["post"]
    permission = "journal.edit"

    def post(self, request):
        entity, day = request.entity, request.entity.today()
        if _waiting(entity).count() > 10 * AT_ONCE:
            job = jobs.enqueue_on_commit(
                "add_to_journals", by=request.user, entity=entity, subject=str(entity), on=day.isoformat()
            )
            return HttpResponseRedirect(job.get_absolute_url())
        try:
            show_answer(request, _added(operations.add_to_journals(entity, on=day, by=request.user)))
        except Refused as refusal:
            refuse(request, refusal)
        return HttpResponseRedirect(reverse("journals"))


def _added(result):
    if not result.lines and not result.left_out:
        return Answer("No actual waits for a journal.")
    text = f"{counted(result.lines, 'actual')} added"
    if result.journals:
        names = ", ".join(journal.number for journal in result.journals[:5])
        more = len(result.journals) - 5
        text += f" to {names}" + (f" and {counted(more, 'more journal')}" if more > 0 else "")
    reasons = Counter(reason.sentence.rstrip(".") for _, reason in result.left_out)
    shown = dict(reasons.most_common(5))
    if rest := sum(reasons.values()) - sum(shown.values()):
        shown["for other reasons"] = rest
    return Answer(f"{text}.", left=shown, link=reverse("waiting_actuals") if shown else "")


class JournalPage(LinesScreen):
    """The page of one journal: its header, and its lines as a list."""

    document, link = IntegrationJournal, "journal"
    model = JournalLine
    permission = "journal.view"
    template_name = "ledger/journal.html"
    filterset_class = JournalLineFilter
    table_class = JournalLineTable
    amount_field = "actual__amount"
    currency_field = "actual__currency"
    noun = ("line", "lines")
    empty_title = "No lines"
    totals_template = "ledger/journal_totals.html"
    has_totals = True
    actions = (
        Action("edit_journal_lines", "Edit tax groups, dimensions, date", "journal.edit", icon="pencil"),
    )

    def documents(self):
        return IntegrationJournal.objects.select_related("entity", "original", "posted_by")

    def get_queryset(self):
        lines = (
            self.rows(self.request)
            .select_related(
                "actual__project",
                "actual__resource",
                "actual__task",
                "actual__category",
                "actual__product",
                "voucher",
                "billing_tax_group",
                "item_tax_group",
                "dimensions",
            )
            .annotate(is_taxed_otherwise=ExpressionWrapper(TAXED_OTHERWISE, BooleanField()))
        )
        return lines.prefetch_related("dimensions__values__value")

    def summed(self, rows):
        return super().summed(rows) | {"sides": _sides(rows)}

    def get_context_data(self, **context):
        journal = self.row
        context = super().get_context_data(**_progress(journal), **context)
        if not moves.allows(journal, "edit_journal_lines"):
            context["actions"] = []
        return context | {
            "remainders": list(journal.remainders.order_by("pk")),
            "old_rates": [linked_sentence(each, self.request) for each in old_rates(journal)],
            "offered": moves.offered(journal, self.request.may),
            **_to_post(journal, context["held"]),
        }


def _to_post(journal, held):
    """The warnings before the journal is posted, and the question."""
    otherwise = journal.lines.unposted().taxed_otherwise().count()
    untaxed = journal.lines.unposted().without_tax_group().count()
    question = (
        f"Post {counted(held, 'line')} of {journal}? Posted lines can't change. Lines in error move to a new "
        f"journal.{_taxed_otherwise(otherwise)}{_without_tax_group(untaxed)}"
    )
    return {"taxed_otherwise": otherwise, "without_tax_group": untaxed, "question": question}


def _taxed_otherwise(lines):
    """The warning about this number of lines; empty for none."""
    if not lines:
        return ""
    verb = "has" if lines == 1 else "have"
    return f" {counted(lines, 'line')} {verb} another billing tax group than the customer."


def _without_tax_group(lines):
    if not lines:
        return ""
    verb = "has" if lines == 1 else "have"
    return f" {counted(lines, 'line')} of sales {verb} no tax group, and an invoice needs one."


def _progress(journal):
    """The number of lines, of posted lines, and of lines in error."""
    found = journal.lines.aggregate(
        held=Count("pk"),
        posted=Count("pk", filter=Q(voucher__isnull=False)),
        in_error=Count("pk", filter=Q(error__isnull=False)),
    )
    return found


class EditJournalLines(BulkForm):
    """Tax groups, dimensions or the accounting date of the chosen lines (JRN-2)."""

    screen = JournalPage
    permission = "journal.edit"
    form_class = JournalLinesForm
    button = "Save changes"

    def get_title(self):
        return f"Edit {counted(self.chosen, 'journal line')}"

    lead = "Empty fields do not change. Errors are cleared. Posting checks the lines again."

    def get_form_kwargs(self):
        entity = self.rows.select_related("journal__entity").first().journal.entity
        return super().get_form_kwargs() | {"entity": entity, "lines": self.rows}

    def operate(self, form):
        changes = form.changes()
        lines = operations.edit_journal_lines(self.rows, by=self.request.user, seen=form.stamp, **changes)
        if "billing_tax_group" in changes:
            otherwise = JournalLine.objects.filter(pk__in=[line.pk for line in lines]).taxed_otherwise()
            self.warn(otherwise.count(), lines[0].journal)
        return Answer(f"{counted(len(lines), 'line')} changed.")

    def warn(self, otherwise, journal):
        """Only a warning: some sales abroad are taxed at home."""
        if otherwise:
            url = f"{journal.get_absolute_url()}?taxed=otherwise"
            text = format_html('{} <a href="{}">Show these lines</a>', _taxed_otherwise(otherwise), url)
            messages.warning(self.request, text)

    def get_back_url(self):
        return back_to_lines(JournalPage, "journal", self.request)


class PostJournal(Operation):
    """Post the lines of a journal; a large one in the background (JRN-4)."""

    model, permission = IntegrationJournal, "journal.post"
    job = None

    def operate(self, journal):
        day = journal.entity.today()
        lines = journal.lines.count()
        if lines > AT_ONCE:
            self.job = _post_in_background([journal], lines, by=self.request.user, on=day)
            return Answer(f"{counted(lines, 'line')} of {journal} are posted in the background.")
        return _posted([operations.post_journal(journal, by=self.request.user, on=day)])

    def success_url(self, journal):
        return (self.job or journal).get_absolute_url()


def _post_in_background(journals, lines, *, by, on):
    return jobs.enqueue_on_commit(
        "post_journals",
        by=by,
        entity=journals[0].entity,
        subject=", ".join(journal.number for journal in journals[:5]),
        total=lines,
        journals=[journal.pk for journal in journals],
        on=on.isoformat(),
    )


def _posted(results):
    """The message about posting: the number of posted lines, and the journals with those in error."""
    left, link = Counter(), ""
    for result in results:
        if result.refused:
            left[result.refused.sentence.rstrip(".")] += 1
            link = link or result.journal.get_absolute_url()
        elif result.in_error:
            left[f"in error, in {result.remainder}"] = result.in_error
            link = result.remainder.get_absolute_url()
    if len(left) > 1:
        link = f"{reverse('journals')}?status=error"
    lines = sum(result.posted for result in results)
    return Answer(f"{counted(lines, 'journal line')} posted.", left=dict(left), link=link)


class BackToDraft(Operation):
    """Send a journal in error back to draft (JRN-4)."""

    model, permission = IntegrationJournal, "journal.edit"
    done = "The {} is a draft again. Post it when the cause of its errors is fixed."

    def operate(self, journal):
        operations.back_to_draft(journal, by=self.request.user)


class PostChosenJournals(BulkOperation):
    screen, list_url, permission = Journals, "journals", "journal.post"

    def operate(self, rows):
        day = self.request.entity.today()
        unposted = rows.exclude(status=_Status.POSTED)
        journals = list(unposted.select_related("entity"))
        if not journals:
            raise Refused("JOURNALS-ALREADY-POSTED")
        lines = JournalLine.objects.filter(journal__in=unposted.values("pk")).count()
        if lines > AT_ONCE:
            job = _post_in_background(journals, lines, by=self.request.user, on=day)
            return HttpResponseRedirect(job.get_absolute_url())
        return _posted(operations.post_chosen(journals, by=self.request.user, on=day))


class ChosenBackToDraft(BulkOperation):
    screen, list_url, permission = Journals, "journals", "journal.edit"

    def operate(self, rows):
        done, left = 0, Counter()
        for journal in rows.order_by("pk"):
            try:
                operations.back_to_draft(journal, by=self.request.user)
                done += 1
            except Refused:
                left[f"{journal.get_status_display()} (only journals in error can be sent back)"] += 1
        return Answer(f"{counted(done, 'journal')} back in draft.", left=dict(left))
