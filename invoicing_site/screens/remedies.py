"""Links to the page where the cause of a refusal can be fixed (MON-8), for users who may open it."""

from django.urls import NoReverseMatch, Resolver404, resolve, reverse
from django.utils.html import format_html
from django.utils.text import capfirst

from invoicing_site.accounts.administered import reach_of

_ADMIN = "/admin/"


def address_of(remedy: str) -> str:
    """The path of a remedy, which is a path or a URL name; empty if there is none."""
    if not remedy or remedy.startswith("/"):
        return remedy
    try:
        return reverse(remedy)
    except NoReverseMatch:
        return ""


def remedy_url(remedy: str, request) -> str:
    """The address of a remedy; empty if the user can't open it."""
    address = address_of(remedy)
    return address if address and _opens(address, request) else ""


def words_of(address: str) -> str:
    """The label of a link to the address: the page that it opens, or the action on its row."""
    try:
        match = resolve(address.partition("?")[0])
    except Resolver404:
        return ""
    if managed := getattr(match.func, "model_admin", None):
        names = managed.opts
        if match.url_name.endswith("_changelist"):
            return f"Open {capfirst(names.verbose_name_plural)}"
        verb = "Add" if match.url_name.endswith("_add") else "Open"
        return f"{verb} the {names.verbose_name}"
    screen = getattr(match.func, "view_class", None)
    of_one_row, title = "pk" in match.kwargs, getattr(screen, "title", "")
    if title:
        return title if of_one_row else f"Open {title}"
    model = getattr(screen, "model", None)
    return f"Open the {model._meta.verbose_name}" if model else "Open this page"


def linked_sentence(refusal, request):
    """The sentence of a refusal or a reason, with a link to its remedy."""
    return linked(str(refusal), refusal.remedy, request)


def linked(sentence, remedy, request):
    """A sentence with a link to its remedy, if the reader can open it."""
    if url := remedy_url(remedy, request):
        return format_html('{} <a href="{}">{}</a>', sentence, url, words_of(url))
    return format_html("{}", sentence)


def in_plain_text(refusal) -> str:
    """The sentence of a refusal for a terminal, with its code and the page of its remedy."""
    sentence = f"{refusal} [{refusal.code}]" if refusal.code else str(refusal)
    address = address_of(refusal.remedy)
    return f"{sentence} Its page: {address}" if address else sentence


def _opens(address, request) -> bool:
    path = address.partition("?")[0]
    if path.startswith(_ADMIN):
        reach = reach_of(request)
        return bool(reach.administered if path.endswith(("/add/", "/change/")) else reach.seen)
    try:
        match = resolve(path)
    except Resolver404:
        return False
    screen = getattr(match.func, "view_class", None)
    permission = getattr(screen, "permission", "")
    if not permission or "pk" not in match.kwargs or screen.model is None:
        return not permission or request.may(permission)
    rows = screen.model.objects.reachable(request.user, permission)
    return rows.filter(pk=match.kwargs["pk"]).exists()
