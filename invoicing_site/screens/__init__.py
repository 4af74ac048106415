"""The shared screens: a list, a detail page, an operation on one or several rows; see templates/screens.

A view names its parts. The screens handle permission, visible rows, filter, sort, totals, export, saved
views, the selection of a bulk action, the message and the redirect.
"""

from invoicing_site.screens.bulk_forms import BulkForm
from invoicing_site.screens.lists import Action, ListScreen
from invoicing_site.screens.operations import Answer, BulkOperation, FormOperation, Operation
from invoicing_site.screens.pages import DetailScreen, Page, Screen

__all__ = [
    "Action",
    "BulkForm",
    "BulkOperation",
    "DetailScreen",
    "FormOperation",
    "ListScreen",
    "Operation",
    "Page",
    "Screen",
    "Answer",
]
