"""Signing in: who can sign in, who has to wait, what is recorded, and what the demo offers."""

import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth import authenticate
from django.core.cache import cache, caches
from django.test import Client, RequestFactory
from django.urls import reverse
from redis.exceptions import ConnectionError as CacheIsDown

from contracts.models import LegalEntity
from invoicing_site.accounts import signing_in, throttling
from invoicing_site.demo import PASSWORD, USERS
from invoicing_site.demo.catalogue import COMPANIES
from invoicing_site.demo.setting import make_users
from invoicing_site.models import AuditEvent, User

pytestmark = pytest.mark.django_db
SECRET = "only Ada knows 1815"
TOO_SOON, REFUSED, IN = 429, 200, 302


@pytest.fixture(autouse=True)
def _no_failed_attempts():
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def ada():
    return User.objects.create_user("ada", password=SECRET, first_name="Ada", last_name="Lovelace")


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test moves, for the throttle and its cache."""

    class Clock:
        now = int(time.time())

        def passes(self, seconds):
            self.now += seconds

    clock = Clock()
    monkeypatch.setattr("time.time", lambda: clock.now)
    return clock


def attempt(client, name="ada", password="wrong", address="192.0.2.1", **more):
    data = {"username": name, "password": password, **more}
    return client.post(reverse("login"), data, REMOTE_ADDR=address)


def signed_in(client):
    return "_auth_user_id" in client.session


def text(response):
    return re.sub(r"\s+", " ", response.content.decode())


# Signing in


def test_the_right_password_opens_the_page_that_was_asked_for(client, ada):
    page = client.get(reverse("password_change"))
    assert page.headers["Location"] == "/sign-in/?next=/password/"
    assert 'name="next" value="/password/"' in text(client.get(page.headers["Location"]))

    answer = attempt(client, password=SECRET, next="/password/")

    assert (answer.status_code, answer.headers["Location"]) == (302, "/password/")
    assert signed_in(client)


@pytest.mark.parametrize(
    "elsewhere", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_the_next_address_stays_on_this_site(client, ada, elsewhere):
    assert attempt(client, password=SECRET, next=elsewhere).headers["Location"] == reverse("home")
    assert "evil" not in text(Client().get(reverse("login"), {"next": elsewhere}))


def test_an_unknown_name_and_a_wrong_password_get_the_same_error(client, ada):
    answers = [text(attempt(client, name=name)).replace(name, "") for name in ("ada", "bob")]
    assert "User name or password is wrong" in answers[0]
    without_token = [re.sub(r"csrfmiddlewaretoken\S* value=\S+|X-CSRFToken\S* \S+", "", a) for a in answers]
    assert without_token[0] == without_token[1]


def test_an_inactive_user_cannot_sign_in(client, ada):
    User.objects.update(is_active=False)
    assert attempt(client, password=SECRET).status_code == REFUSED
    assert not signed_in(client)


def test_signing_in_starts_a_new_session(client, ada):
    session = client.session
    session["seen"] = True
    session.save()
    before = session.session_key

    attempt(client, password=SECRET)

    assert signed_in(client)
    assert client.session.session_key != before


def test_a_sign_in_from_another_site_is_refused_with_a_sentence(ada):
    client = Client(enforce_csrf_checks=True)
    answer = attempt(client, password=SECRET)
    assert answer.status_code == 403
    assert "Go back, reload the page" in text(answer)


def test_the_admin_has_no_sign_in_page_of_its_own(client, ada):
    to_admin = client.get("/admin/").headers["Location"]
    assert client.get(to_admin).headers["Location"] == "/sign-in/?next=/admin/"
    assert client.post("/admin/login/", {"username": "ada", "password": SECRET}).status_code == 302
    assert not signed_in(client)


def test_users_without_access_to_the_admin_see_who_is_signed_in(client, ada):
    client.force_login(ada)
    page = client.get("/admin/", follow=True)
    assert page.status_code == 200
    assert "You are signed in as Ada Lovelace. You may not open the page that you requested" in text(page)


# Signing out


def test_signing_out_needs_a_post(client, ada):
    client.force_login(ada)
    assert client.get(reverse("logout")).status_code == 405
    assert signed_in(client)


def test_signing_out_ends_at_the_sign_in_page(client, ada):
    client.force_login(ada)
    assert client.post(reverse("logout")).headers["Location"] == reverse("login")
    assert not signed_in(client)
    assert client.post(reverse("logout")).headers["Location"] == reverse("login")  # a second window


# Waiting


def test_after_five_failures_even_the_right_password_has_to_wait(client, ada, clock):
    for _ in range(5):
        assert attempt(client).status_code == REFUSED

    answer = attempt(client, password=SECRET)

    assert answer.status_code == TOO_SOON
    assert answer.headers["Retry-After"] == "15"
    assert "Wait 15 seconds, then try again. Nothing is locked" in text(answer)
    assert not signed_in(client)

    clock.passes(15)
    assert attempt(client, password=SECRET).status_code == IN


def test_the_wait_grows_to_a_quarter_of_an_hour_and_no_further(clock):
    for _ in range(5):
        throttling.begin("ada", "192.0.2.1")
    waits = []
    for _ in range(8):
        waits.append(throttling.begin("ada", "192.0.2.1"))
        clock.passes(waits[-1])
        assert throttling.begin("ada", "192.0.2.1") == 0
    assert waits == [15, 30, 60, 120, 240, 480, 900, 900]


def test_a_try_during_the_wait_does_not_extend_it(clock):
    for _ in range(5):
        throttling.begin("ada", "192.0.2.1")
    for left in (15, 10, 5):
        assert throttling.begin("ada", "192.0.2.1") == left
        clock.passes(5)
    assert throttling.begin("ada", "192.0.2.1") == 0


def test_an_hour_without_a_try_resets_the_wait(clock):
    for _ in range(5):
        throttling.begin("ada", "192.0.2.1")
    clock.passes(60 * 60)
    assert [throttling.begin("ada", "192.0.2.1") for _ in range(5)] == [0] * 5


def test_a_successful_sign_in_resets_the_wait(client, ada, clock):
    for _ in range(4):
        attempt(client)
    assert attempt(client, password=SECRET).status_code == IN
    for _ in range(5):
        assert attempt(client).status_code == REFUSED


def test_the_name_is_the_same_however_it_is_written(client, clock):
    for name in ("ada", "Ada", "ADA", "aDa", "adA"):
        attempt(client, name=name)
    assert attempt(client, name="ada").status_code == TOO_SOON


def test_failures_of_one_user_do_not_delay_other_users_or_other_places(client, ada, clock):
    for _ in range(6):
        attempt(client, name="bob")
    assert attempt(client, name="bob").status_code == TOO_SOON
    assert attempt(client, password=SECRET).status_code == IN

    for _ in range(6):
        attempt(Client(), address="192.0.2.9")
    assert attempt(Client(), password=SECRET, address="192.0.2.10").status_code == IN


def test_an_address_that_guesses_many_names_has_to_wait(client, ada, clock):
    throttling.succeed("ada", "192.0.2.1")  # she works there
    for number in range(30):
        assert attempt(client, name=f"guess{number}").status_code == REFUSED

    assert attempt(client, name="somebody").status_code == TOO_SOON
    assert attempt(client, password=SECRET).status_code == IN


def test_a_name_guessed_from_many_places_delays_unknown_places_only(client, ada, clock):
    """Nobody can lock out a user: known places have no delay, unknown places a minute."""
    throttling.succeed("ada", "192.0.2.1")
    waits = set()
    for number in range(60):
        address = f"198.51.100.{number}"
        if wait := throttling.begin("ada", address):
            waits.add(wait)
            clock.passes(wait)
            assert throttling.begin("ada", address) == 0

    assert max(waits) == 60
    assert attempt(Client(), password=SECRET, address="203.0.113.1").status_code == TOO_SOON
    assert attempt(client, password=SECRET, address="192.0.2.1").status_code == IN


def test_many_users_of_one_office_can_sign_in(clock):
    for number in range(100):
        assert throttling.begin(f"colleague{number}", "192.0.2.1") == 0
        throttling.succeed(f"colleague{number}", "192.0.2.1")
    assert throttling.begin("newcomer", "192.0.2.1") == 0


def test_neighbors_in_one_ipv6_network_count_as_one():
    for number in range(30):
        throttling.begin(f"guess{number}", f"2001:db8:1:1::{number:x}")
    assert throttling.begin("somebody", "2001:db8:1:1:ffff::1") > 0
    assert throttling.begin("somebody", "2001:db8:1:2::1") == 0
    assert throttling._network("::ffff:192.0.2.1") == throttling._network("192.0.2.1")


def of_many_at_once():
    with ThreadPoolExecutor(16) as pool:
        return sum(wait == 0 for wait in pool.map(lambda _: throttling.begin("ada", "192.0.2.1"), range(64)))


def test_five_of_many_simultaneous_tries_are_checked(clock):
    assert of_many_at_once() == 5


@pytest.mark.redis
def test_five_of_many_simultaneous_tries_are_checked_with_redis(settings, monkeypatch):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": settings.TEST_REDIS_URL,
            "KEY_PREFIX": f"ledgerline-test-{time.time_ns()}",
        }
    }
    shared = caches.create_connection("default")
    monkeypatch.setattr(throttling, "cache", shared)
    assert of_many_at_once() == 5
    own = throttling._key("name-and-address", "ada", "192.0.2.1")
    assert shared.get(own) == 5  # a try during the wait is not counted
    assert throttling.begin("ada", "192.0.2.1") > 0
    throttling.succeed("ada", "192.0.2.1")
    assert throttling.begin("ada", "192.0.2.1") == 0
    assert shared.get(throttling._known(own)) == 1
    shared.delete(throttling._known(own))  # the counts expire


def test_signing_in_works_without_the_cache_and_is_logged(client, ada, monkeypatch, caplog):
    class Down:
        def __getattr__(self, name):
            raise CacheIsDown("gone")

    monkeypatch.setattr(throttling, "cache", Down())
    assert attempt(client).status_code == REFUSED
    assert attempt(client, password=SECRET).status_code == IN
    assert "Sign-in attempts are not counted" in caplog.text


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "203.0.113.7", "192.0.2.1"),  # no proxy is in front: the header is not trusted
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "10.0.0.1, 203.0.113.7", "203.0.113.7"),  # addresses before that of the proxy are not trusted
        (2, "203.0.113.7, 10.0.0.1", "203.0.113.7"),
        (2, "203.0.113.7", "192.0.2.1"),
        (1, "", "192.0.2.1"),
        (1, "unknown", "192.0.2.1"),
    ],
)
def test_the_address_comes_from_our_own_proxy(settings, proxies, forwarded, address):
    settings.LEDGERLINE_PROXIES = proxies
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.1", headers={"x-forwarded-for": forwarded})
    assert throttling.address_of(request) == address


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 second"), (15, "15 seconds"), (90, "90 seconds"), (91, "2 minutes"), (900, "15 minutes")],
)
def test_the_wait_is_shown_in_words(seconds, words):
    assert signing_in._in_words(seconds) == words


# Recorded events


def events():
    return list(AuditEvent.objects.order_by("pk").values_list("action", "by__username", "detail"))


def test_signing_in_failing_and_signing_out_are_recorded(client, ada):
    """SEC-3"""
    attempt(client)
    attempt(client, password=SECRET)
    client.post(reverse("logout"), REMOTE_ADDR="192.0.2.1")
    client.post(reverse("logout"))  # nobody is signed in

    here = {"address": "192.0.2.1"}
    assert events() == [
        ("invoicing_site.refuse_sign_in", None, {"username": "ada", **here}),
        ("invoicing_site.sign_in", "ada", here),
        ("invoicing_site.sign_out", "ada", here),
    ]
    assert AuditEvent.objects.get(action="invoicing_site.sign_in").subject_text == "Ada Lovelace"


def test_a_recorded_name_is_shortened_to_the_longest_possible_name(client):
    """SEC-3"""
    authenticate(None, username="x" * 400, password="wrong")
    assert events() == [("invoicing_site.refuse_sign_in", None, {"username": "x" * 150, "address": ""})]


def test_an_impossible_name_is_an_error_of_the_form(client):
    for name in ("x\0y", ""):
        answer = attempt(client, name=name)
        assert answer.status_code == 200
        assert "errorlist" in text(answer)
    assert events() == []


def test_no_password_is_recorded(client, ada):
    """SEC-3"""
    attempt(client, password="nearly " + SECRET)
    attempt(client, password=SECRET)
    assert SECRET not in str(events())


def test_tries_during_the_wait_are_not_recorded(client, ada, clock):
    for _ in range(20):
        attempt(client)
    assert AuditEvent.objects.count() == 5


# The user's own password


def change(client, old, new, again=None):
    data = {"old_password": old, "new_password1": new, "new_password2": again or new}
    return client.post(reverse("password_change"), data)


def test_a_changed_password_ends_the_other_sessions(client, ada):
    elsewhere = Client()
    client.force_login(ada)
    elsewhere.force_login(ada)

    answer = change(client, SECRET, "a new one for 1843")

    assert answer.headers["Location"] == reverse("password_change_done")
    page = client.get(answer.headers["Location"])
    assert "Your password is changed" in text(page)
    assert elsewhere.get(reverse("password_change")).status_code == 302
    ada.refresh_from_db()
    assert ada.check_password("a new one for 1843")
    assert AuditEvent.objects.get(action="invoicing_site.change_password").by == ada
    assert "1843" not in str(events())


@pytest.mark.parametrize(
    ("old", "new", "again", "why"),
    [
        ("wrong", "a new one for 1843", None, "entered incorrectly"),
        (SECRET, "a new one for 1843", "another for 1843", "match"),
        (SECRET, "12345", None, "too short"),
    ],
)
def test_a_password_is_not_changed_by_mistake(client, ada, old, new, again, why):
    client.force_login(ada)
    answer = change(client, old, new, again)
    assert answer.status_code == 200
    assert why in text(answer)
    ada.refresh_from_db()
    assert ada.check_password(SECRET)
    assert not AuditEvent.objects.filter(action="invoicing_site.change_password").exists()


def test_the_password_page_of_the_admin_redirects_to_ours(client, ada):
    client.force_login(ada)
    assert client.get("/admin/password_change/").headers["Location"] == reverse("password_change")


# The demo


@pytest.fixture
def demo():
    for company in COMPANIES:
        LegalEntity.objects.create(code=company.code, name=company.name, currency=company.currency)
    return make_users()


def offered(client):
    return re.findall(r'name="demo" value="(\w+)"', text(client.get(reverse("login"))))


def test_the_demo_offers_its_users(client, demo):
    assert offered(client) == list(USERS)
    page = text(client.get(reverse("login")))
    assert "Rita Eksempel, project accountant" in page
    assert "Vera Eksempel, project accountant" in page
    assert "Posts journals and invoices" in page


@pytest.mark.parametrize("name", USERS)
def test_one_click_signs_a_visitor_in(demo, name):
    client = Client()
    answer = client.post(reverse("login"), {"demo": name, "next": "/password/"})
    assert answer.headers["Location"] == "/password/"
    assert client.session["_auth_user_id"] == str(demo[name].pk)
    assert AuditEvent.objects.get(action="invoicing_site.sign_in").by == demo[name]


def test_production_offers_no_demo_sign_in(client, demo, settings):
    settings.PRODUCTION = True
    assert offered(client) == []
    assert client.post(reverse("login"), {"demo": "administrator"}).status_code == 200
    assert not signed_in(client)


@pytest.mark.parametrize("gone", ["password", "is_active", "is_superuser"])
def test_changed_demo_users_are_not_offered(client, demo, gone):
    rita = demo["accountant"]
    if gone == "password":
        rita.set_password(SECRET)
    else:
        setattr(rita, gone, not getattr(rita, gone))
    rita.save()
    assert offered(client) == [name for name in USERS if name != "accountant"]
    client.post(reverse("login"), {"demo": "accountant"})
    assert not signed_in(client)


def test_users_with_the_same_names_elsewhere_are_not_offered(client):
    make_users()
    assert offered(client) == []
    client.post(reverse("login"), {"demo": "administrator"})
    assert not signed_in(client)


def test_the_demo_sign_in_accepts_demo_users_only(client, demo, ada):
    ada.set_password(PASSWORD)
    ada.save()
    client.post(reverse("login"), {"demo": "ada"})
    assert not signed_in(client)


# A forgotten password


def ask(client, email):
    page = client.post(reverse("password_reset"), {"email": email}, follow=True).content.decode()
    return re.search(r"<main.*</main>", page, re.DOTALL)[0]


def test_a_password_link_is_sent_to_the_address_of_the_user_only(
    client, ada, mailoutbox, django_capture_on_commit_callbacks
):
    """SEC-1: the answer is the same for an unknown address."""
    User.objects.filter(pk=ada.pk).update(email="ada@example.com")
    with django_capture_on_commit_callbacks(execute=True):
        known, unknown = ask(client, "ADA@example.com"), ask(client, "eve@example.com")
    assert known == unknown
    assert [mail.to for mail in mailoutbox] == [["ada@example.com"]]
    assert "Your user name is ada." in mailoutbox[0].body
    ada.refresh_from_db()
    assert ada.check_password(SECRET)  # it is valid until a new one is chosen


def test_a_user_gets_one_link_in_five_minutes(
    client, ada, mailoutbox, clock, django_capture_on_commit_callbacks
):
    User.objects.filter(pk=ada.pk).update(email="ada@example.com")
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(3):
            ask(client, "ada@example.com")
        assert AuditEvent.objects.filter(action="invoicing_site.send_password_link").count() == 1
        clock.passes(301)
        ask(client, "ada@example.com")
    assert len(mailoutbox) == 2


def test_inactive_users_get_no_link(client, ada, mailoutbox, django_capture_on_commit_callbacks):
    User.objects.filter(pk=ada.pk).update(email="ada@example.com", is_active=False)
    with django_capture_on_commit_callbacks(execute=True):
        ask(client, "ada@example.com")
    assert mailoutbox == []


def test_users_change_their_own_address_with_their_password(
    client, ada, mailoutbox, django_capture_on_commit_callbacks
):
    """SEC-3: the old address gets a message."""
    User.objects.filter(pk=ada.pk).update(email="ada@example.com")
    client.force_login(ada)
    where = reverse("mail_address")
    page = client.post(where, {"email": "new@example.com", "password": "a guess"})
    assert "The password is wrong." in page.content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(where, {"email": "new@example.com", "password": SECRET}).status_code == 302
    ada.refresh_from_db()
    assert ada.email == "new@example.com"
    assert [mail.to for mail in mailoutbox] == [["ada@example.com"], ["new@example.com"]]
    assert AuditEvent.objects.get(action="invoicing_site.change_mail_address").by == ada
