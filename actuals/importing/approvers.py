"""Who can approve imported entries: never the user who imports them (APP-2)."""

from contracts.models import Project
from invoicing_site.floor import wording


def who_approves(rows, entity, by) -> list[str]:
    """Sentences for the user who imports these rows, one for all rows with the same approvers; one query.

    Managers of the project approve, except their own work and what they imported or submitted themselves.
    Rows that `by` can't approve in any case are not mentioned if somebody else can.
    """
    if by is None or entity.allow_own_approval:
        return []
    managers = {}
    keys = {row.project.pk for row in rows if row.project.pk}
    links = Project.managers.through.objects.filter(project__in=keys, user__is_active=True)
    for link in links.select_related("user").order_by("user__username"):
        managers.setdefault(link.project_id, []).append(link.user)
    groups = {}
    for row in rows:
        all_of_it = managers.get(row.project.pk, [])
        worker = row.resource and row.resource.user_id
        others = tuple(str(each) for each in all_of_it if each != by and each.pk != worker)
        if by in all_of_it or (row.project.pk and not others):
            could = by in all_of_it and by.pk != worker
            found = groups.setdefault((others, could), [0, set()])
            found[0] += 1
            found[1].add(row.project.code)
    return [_sentence(*who, n, sorted(projects)) for who, (n, projects) in groups.items()]


def _sentence(others, could, n, projects) -> str:
    """`could` says that `by` could approve these rows if another user imported them."""
    on = f"{wording.counted(n, 'entry', 'entries')} on {_listed(projects)}"
    if others:
        return f"You can't approve what you import yourself: {' or '.join(others)} can approve {on}."
    way = "Ask an accountant to import the file, or ask" if could else "Ask"
    return (
        f"Nobody could approve {on}: people don't approve their own work or what they imported, and there "
        f"is no other project manager. {way} a billing administrator to add one, or to allow own approval "
        "for the legal entity."
    )


def _listed(projects) -> str:
    more = f" and {len(projects) - 5} more projects" if len(projects) > 6 else ""
    return ", ".join(projects[:5] if more else projects) + more
