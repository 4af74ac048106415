"""Shared words of sentences, and the percentage of progress bars."""

import pytest

from invoicing_site.floor import wording
from invoicing_site.templatetags import ledgerline


@pytest.mark.parametrize(
    ("noun", "said"),
    [("expense", "an expense"), ("fee", "a fee"), ("unit", "a unit"), ("order", "an order")]
    + [("hour", "an hour"), ("user", "a user"), ("Invoice", "an Invoice")],
)
def test_a_noun_has_its_article(noun, said):
    assert wording.a(noun) == said


@pytest.mark.parametrize(
    ("part", "whole", "percent"),
    [(600_000, 900_000, 67), (0, 900, 0), (1, 900_000, 1), (899_999, 900_000, 99), (900, 900, 100)]
    + [(950, 900, 100), (-5, 900, 0), (5, 0, 0), (None, 10, 0)],
)
def test_a_meter_is_full_only_when_all_is_billed(part, whole, percent):
    """CON-8: and it is empty only if nothing is billed."""
    assert ledgerline.share(part, whole) == percent
