from actuals.models import Entry
from backlog import operations
from contracts.models import Project
from invoicing_site.floor.wording import counted
from invoicing_site.management.base import EntityCommand, day


class Command(EntityCommand):
    help = "Approve submitted entries: this creates actuals and backlog items."

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument("--until", type=day, help="entries dated up to this date; default: all")
        parser.add_argument("--project", action="append", help="code of a project; can be repeated")

    def act(self, entity, by, on, options):
        entries = Entry.objects.filter(entity=entity, status=Entry.Status.SUBMITTED)
        if options["until"]:
            entries = entries.filter(date__lte=options["until"])
        projects = self.chosen(Project.objects.filter(entity=entity), "code", options["project"])
        entries = entries.filter(project__in=projects)
        approvals = operations.approve_many(entries, by=by, on=on)
        return {
            "approved": sum(len(approval.entries) for approval in approvals),
            "actuals": sum(len(approval.actuals) for approval in approvals),
            "backlog_items": sum(len(approval.items) for approval in approvals),
            "warnings": [warning for approval in approvals for warning in approval.warnings],
            "left": [reason.sentence for approval in approvals for _, reason in approval.refused],
        }

    def lines(self, answer):
        yield (
            f"{counted(answer['approved'], 'entry', 'entries')} approved: "
            f"{counted(answer['actuals'], 'actual')}, {answer['backlog_items']} of them in the backlog."
        )
        yield from answer["warnings"]
        yield from answer["left"]
