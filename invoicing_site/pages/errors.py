"""The response to an exception that no view handles."""

import sys

from django.http import HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.csrf import requires_csrf_token
from django.views.defaults import server_error as internal_error

from invoicing_site.floor import transaction
from invoicing_site.floor.reasons import Reason


@requires_csrf_token
def server_error(request):
    """The page of an internal error (500); after a database conflict, a page that explains it (503)."""
    if transaction.is_busy(sys.exc_info()[1]):
        page = render_to_string("503.html", {"sentence": Reason("BUSY").sentence})
        return HttpResponse(page, status=503, headers={"Retry-After": "1"})
    return internal_error(request)
