"""Unusual dates of work, which are warnings and not refusals (APP-10)."""

import datetime

from contracts.models import Project
from invoicing_site.floor import days, formatting, wording

HOURS_A_DAY = 24


def of_day(day: datetime.date, project: Project, today: datetime.date) -> list[str]:
    """What is unusual, as phrases that follow “it is” or “8 entries are”."""
    found = []
    if (project.starts and day < project.starts) or (project.ends and day > project.ends):
        starts = f"from {formatting.day(project.starts)}" if project.starts else "from its beginning"
        ends = f"to {formatting.day(project.ends)}" if project.ends else "without an end"
        found.append(f"dated outside of project {project.code}, which runs {starts} {ends}")
    if days.is_far_ahead(day, today):
        found.append("dated more than a week ahead")
    return found


def in_sentences(entries, today: datetime.date) -> list[str]:
    """What is unusual about these entries: one sentence for all with the same phrase."""
    groups = {}
    for entry in entries:
        for phrase in of_day(entry.date, entry.project, today):
            groups.setdefault(phrase, []).append(entry.date)
    found = []
    for phrase, dates in groups.items():
        n = wording.counted(len(dates), "entry is", "entries are")
        first = "" if len(dates) == 1 else "the first of "
        found.append(f"{n} {phrase} ({first}{formatting.day(min(dates))}). Is that right?")
    return found
