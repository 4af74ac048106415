"""A tile shows a count, and opens the list with exactly these rows."""

from datetime import timedelta
from decimal import Decimal
from urllib.parse import urlsplit

import pytest

from backlog.models import BacklogItem
from backlog.operations import confirm_contract, split_off
from ledger.invoicing.operations.returns import return_proposal
from ledger.models import FiscalPeriod
from proforma.models import InvoiceRun, RunContract
from tests.factories import company, contract, ready_item, time_entry
from tests.ledger.billing import proposed, work
from tests.test_access import people, world

pytestmark = pytest.mark.django_db


def tiles(client):
    return [tile for part in client.get("/").context["parts"] for tile in part.tiles if not tile.unit]


@pytest.mark.parametrize("letter", ["M", "P", "A"])
def test_the_list_behind_a_tile_holds_what_the_tile_counts(letter, client):
    it = world("NO1")
    client.force_login(people(it)[letter])
    counted = 0
    for tile in tiles(client):
        context = client.get(tile.url).context
        # The tiles of journals and periods count other rows than these pages list.
        if "matching" in context and "?" in tile.url:
            assert context["matching"] == tile.count, tile.title
            counted += 1
    assert counted >= 3


def test_items_over_a_limit_have_a_tile_of_their_own(client):
    """NTE-2"""
    it = company()
    deal = contract(it, confirmed=True)
    ready_item(it, deal, status="not_ready")
    item = ready_item(it, deal, status="not_ready")
    type(item).objects.filter(pk=item.pk).update(limit_status="failed", limit_level="contract", limit_over=1)
    client.force_login(it.manager)
    by_title = {tile.title: tile for tile in tiles(client)}
    assert (by_title["Backlog to review"].count, by_title["Over a limit"].count) == (1, 1)
    for tile in (by_title["Backlog to review"], by_title["Over a limit"]):
        assert urlsplit(tile.url).path == "/backlog/"
        assert client.get(tile.url).context["matching"] == 1


def test_a_tile_adds_up_chargeable_work(client):
    """PRO-3, APP-3: of 7.5 h at 1,190 six are billable, so 7,140 is ready; both rows are on the list."""
    it = company()
    deal = contract(it, confirmed=True)
    ready_item(it, deal, quantity=6, price=Decimal(1190))
    ready_item(it, deal, quantity=Decimal("1.5"), price=Decimal(1190), billing_type="non_chargeable")
    client.force_login(it.manager)
    tile = {tile.title: tile for tile in tiles(client)}["Ready to invoice"]
    assert (tile.count, tile.amounts) == (2, {"NOK": Decimal(7140)})
    assert client.get(tile.url).context["matching"] == 2


def test_a_milestone_that_is_ready_is_on_the_work_list(client):
    """MIL-2: 25 % of 10,000."""
    it = company()
    confirm_contract(contract(it, method="fixed"), by=it.manager)
    split_off(BacklogItem.objects.get(), amount=Decimal(2500), by=it.manager)
    client.force_login(it.manager)
    tile = {tile.title: tile for tile in tiles(client)}["Milestones ready"]
    assert (tile.count, tile.amounts) == (1, {"NOK": Decimal(2500)})
    listed = client.get(tile.url).context
    assert [(each["n"], each["sum"]) for each in listed["sums"]] == [(1, 2500)]


def test_every_page_of_a_manager_links_to_the_projects(client):
    it = company()
    client.force_login(it.manager)
    assert 'href="/projects/" data-key="d"' in client.get("/").content.decode()
    assert client.get("/projects/").status_code == 200


def test_a_user_without_a_role_gets_a_message(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("new", password="x"))
    assert "You have no role yet" in client.get("/").content.decode()


def test_the_tile_of_entries_is_for_approvers(client):
    """APP-2"""
    it = company()
    time_entry(it)
    client.force_login(it.manager)
    assert {tile.title: tile.count for tile in tiles(client)}["Entries to approve"] == 1


def tile_of(client, title):
    return {tile.title: tile for tile in tiles(client)}[title]


def test_returned_proposals_are_not_counted_as_to_post(client):
    """PRP-6: it has an end of its own."""
    it = company()
    deal = contract(it, confirmed=True)
    waits, returned = proposed(it, work(it, deal)), proposed(it, work(it, deal))
    return_proposal(returned, by=it.accountant, reason="Wrong price")
    client.force_login(it.accountant)
    tile = tile_of(client, "Proposals to post")
    assert (tile.count, client.get(tile.url).context["matching"]) == (1, 1)
    assert waits.number in client.get(tile.url).content.decode()


def test_actuals_in_no_journal_and_past_periods_are_counted_as_their_pages_do(client):
    """JRN-1, PST-6"""
    it = company()
    work(it, contract(it, confirmed=True))
    past = FiscalPeriod.objects.filter(entity=it.entity, ends__lt=it.entity.today())
    past.filter(pk=past.order_by("starts").first().pk).update(status="hold")
    client.force_login(it.accountant)
    tile = tile_of(client, "Actuals not in a journal")
    assert client.get(tile.url).context["waiting"] == tile.count > 0
    tile = tile_of(client, "Periods to close")
    assert len(client.get(tile.url).context["late"]) == tile.count == past.count()


def test_old_runs_with_failures_are_neither_counted_nor_listed(client):
    """RUN-4"""
    it = company()
    deal = contract(it, confirmed=True)
    for days in (2, 30):
        run = InvoiceRun.objects.create(
            entity=it.entity, kind="run", trigger="manual", as_of=it.entity.today() - timedelta(days=days)
        )
        RunContract.objects.create(run=run, contract=deal, outcome="failed")
    client.force_login(it.accountant)
    tile = tile_of(client, "Runs with failures")
    assert (tile.count, client.get(tile.url).context["matching"]) == (1, 1)
