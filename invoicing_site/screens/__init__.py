"""The shared screens: a list, a detail, an operation on one row or on many; templates/screens has the look.

A view names its parts; what is done here, for all of them alike: permission, the rows one may see, filter,
sort, totals, export, saved views, the selection of a bulk action, the message, the way back.
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
