"""The suggestion for an unknown code: characters that look alike count as equal (IMP-1)."""

import pytest

from actuals import importing
from tests import factories


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("P-1O01", "P-1001"),  # the letter O
        ("P-l001", "P-1001"),  # a small L
        ("P-IOO2", "P-1002"),
        ("S-58", "S-58"),
        ("5-S8", "S-58"),
        ("s-5B", "S-58"),
        ("P-10177", "P-1017"),
    ],
)
def test_the_suggestion_prefers_codes_that_look_alike(db, typed, meant):
    co = factories.company(books=False)
    for n in range(1, 18):
        factories.ProjectFactory(entity=co.entity, code=f"P-10{n:02}", name=f"Bridge {n}")
    factories.ProjectFactory(entity=co.entity, code="S-58", name="Tunnel")
    content = f"date,resource,project,hours\n2026-03-02,ANNA,{typed},1\n".encode()

    seen = importing.preview(content, co.entity, on=factories.DAY)

    if typed == meant:
        assert seen.errors == []
    else:
        assert [problem.message for problem in seen.errors if problem.field == "project"] == [
            f"There is no project “{typed}”. The most similar one is “{meant}”."
        ]
