"""The importer accepts or refuses any content; it never fails."""

import datetime

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from actuals.importing import FIELDS, FORMATS, Mapping, NotImported, preview
from actuals.models import Entry
from actuals.operations.imports import import_entries
from invoicing_site.floor.errors import Refused
from tests import factories

TODAY = datetime.date(2025, 4, 10)

# Valid values, unusual ones and arbitrary text; with enough valid ones some rows reach the database.
_cell = st.one_of(
    st.sampled_from(
        [
            *("", "2025-03-31", "2025-03-30", "ANNA", "NO1-P1", "DESIGN", "WORK", "TRAVEL", "FEE", "CABLE"),
            *("7.5", "7,5", "0", "-1", "1,234", "7:30", "1e9", "NaN", "99999999999", "h", "NOK", "XXX"),
            *("time", "expense", "material", "fee", "\x00", "\ud800", "x" * 600, "9" * 50, "#N/A", "=1+1"),
        ]
    ),
    st.text(max_size=8),
)
_mapping = st.builds(
    Mapping,
    format=st.sampled_from([*FORMATS, "other"]),
    columns=st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(FIELDS), max_size=2),
    constants=st.dictionaries(st.sampled_from(FIELDS), _cell, max_size=3),
    date_format=st.sampled_from(["", "DD.MM.YYYY", "%Y", "\ud800"]),
    decimal=st.sampled_from(["", ",", "."]),
    create=st.sampled_from(
        [(), ("tasks", "categories"), ("projects", "resources", "roles", "products", "tasks")]
    ),
)
_GOOD = {"date": "2025-03-31", "resource": "ANNA", "project": "NO1-P1", "quantity": "7.5"}


@st.composite
def _table(draw):
    header = draw(st.lists(st.sampled_from(FIELDS), min_size=4, unique=True))
    header = list(dict.fromkeys([*_GOOD, *header]))
    rows = draw(st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(header, _cell)), max_size=4))
    lines = [header, *([{**_GOOD, **row}.get(name, "") for name in header] for row in rows)]
    quoted = (";".join('"' + cell.replace('"', '""') + '"' for cell in line) for line in lines)
    return "\n".join(quoted).encode("utf-8", "surrogatepass")


class AnyFile(TestCase):
    """A separate class, because each example rolls its rows back."""

    @classmethod
    def setUpTestData(cls):
        cls.co = factories.company(books=False)

    @given(
        st.one_of(st.binary(), st.text().map(lambda text: text.encode("utf-8", "replace")), _table()),
        _mapping,
    )
    def test_any_file_is_imported_completely_or_refused_with_errors(self, content, mapping):
        """IMP-1"""
        seen = preview(content, self.co.entity, mapping, on=TODAY)
        try:
            result = import_entries(content, self.co.entity, mapping, by=None, on=TODAY)
        except NotImported as refusal:
            assert refusal.preview.errors  # noqa: PT017 - both results are valid, and each is checked
            added = 0
        except Refused:
            added = 0
            assert seen.errors
        else:
            added = result.added
            assert not seen.errors
            assert added == len(seen.to_add)
        assert Entry.objects.count() == added
        for problem in seen.errors:
            assert problem.message

    @given(_table())
    def test_importing_twice_adds_nothing(self, content):
        """IMP-1"""
        mapping = Mapping(create=("tasks", "categories"))
        if preview(content, self.co.entity, mapping, on=TODAY).errors:
            return
        first = import_entries(content, self.co.entity, mapping, by=None, on=TODAY)
        in_another_file = import_entries(content + b"\n\n", self.co.entity, mapping, by=None, on=TODAY)

        assert import_entries(content, self.co.entity, mapping, by=None, on=TODAY).added == 0
        assert (in_another_file.added, in_another_file.already_there) == (0, first.added)
        assert Entry.objects.count() == first.added
