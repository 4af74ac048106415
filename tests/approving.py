"""The data that the approval pages post: the selected entries and the prices that the page showed (APP-9)."""

import json

from django.utils import timezone

from backlog.previews import preview


def terms(entries, *, by) -> str:
    """The prices of these entries, as a page shows and posts them."""
    entries = [type(entry).objects.get(pk=entry.pk) for entry in entries]
    return json.dumps({pk: each.terms for pk, each in preview(entries, by=by).items()})


def as_listed(entries, *, by, **other) -> dict:
    """The data that the list posts for these selected entries."""
    listed = {"terms": terms(entries, by=by), "drawn": timezone.now().isoformat()}
    return {"pk": [entry.pk for entry in entries]} | listed | other
