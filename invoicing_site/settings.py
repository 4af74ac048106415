"""Every setting, read from the environment.

Without any variable this is the embedded profile: an SQLite file, tasks in memory, everything under one
folder. `DATABASE_URL` and `CELERY_BROKER_URL` name real servers; `LEDGERLINE_PRODUCTION=1` closes what a
laptop may leave open, and refuses to start while something that it needs is missing.
"""

import os
import tempfile
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key
from django.urls import reverse_lazy

BASE_DIR = Path(__file__).resolve().parent.parent


def _flag(name, default="0"):
    value = os.environ.get(name, default).strip().lower()
    if value not in ("", "0", "1", "no", "yes", "false", "true"):
        raise ImproperlyConfigured(f"{name} is {value!r}; it can be 1 or 0.")
    return value in ("1", "yes", "true")


def _words(name, default=""):
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


def _required(name):
    """In production nothing is guessed: a guessed secret or host would work, and be wrong."""
    if PRODUCTION and not os.environ.get(name):
        raise ImproperlyConfigured(f"LEDGERLINE_PRODUCTION is set, so {name} must be set as well.")
    return os.environ.get(name)


# Profile and data folder

PRODUCTION = _flag("LEDGERLINE_PRODUCTION")
DEBUG = _flag("DEBUG")
if PRODUCTION and DEBUG:
    raise ImproperlyConfigured("DEBUG shows secrets in its error pages: unset it, or LEDGERLINE_PRODUCTION.")

DATA = Path(os.environ.get("LEDGERLINE_DATA") or BASE_DIR / "var").resolve()
DATA.mkdir(mode=0o700, parents=True, exist_ok=True)


def _kept_secret_key():
    """The key made at the first start. It appears whole or not at all, so that two starts agree on one."""
    path = DATA / "secret_key"
    if not path.exists():
        handle, draft = tempfile.mkstemp(dir=DATA)  # readable by its owner only
        with os.fdopen(handle, "w") as file:
            file.write(get_random_secret_key())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            os.unlink(draft)
    return path.read_text()


def _strong(name, key):
    """The key, where nobody can guess it: Django's own measure (security.W009), asked before the start."""
    if PRODUCTION and (len(key) < 50 or len(set(key)) < 12 or key.startswith("django-insecure-")):
        raise ImproperlyConfigured(
            f"{name} can be guessed, so sessions could be forged. Set fifty or more random characters: "
            'python3 -c "import secrets; print(secrets.token_urlsafe(50))"'
        )
    return key


SECRET_KEY = _strong("SECRET_KEY", _required("SECRET_KEY") or _kept_secret_key())
SECRET_KEY_FALLBACKS = [_strong("SECRET_KEY_FALLBACKS", key) for key in _words("SECRET_KEY_FALLBACKS")]
_required("ALLOWED_HOSTS")
ALLOWED_HOSTS = _words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = _words("CSRF_TRUSTED_ORIGINS")


# Database


def _postgresql(url):
    """Read postgres://user:password@host:port/name?sslmode=require; what follows ? goes to libpq."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql") or not parts.path.strip("/"):
        raise ImproperlyConfigured("DATABASE_URL must read postgres://user:password@host:port/name.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": dict(parse_qsl(parts.query)),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


def _sqlite():
    """One writer at a time: BEGIN IMMEDIATE takes the lock at once, so that nobody fails half-way through."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA / "ledgerline.sqlite3",
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": (
                "PRAGMA journal_mode = WAL;"
                "PRAGMA synchronous = NORMAL;"
                "PRAGMA foreign_keys = ON;"
                # Without it INSERT OR REPLACE deletes rows past the triggers that guard them.
                "PRAGMA recursive_triggers = ON;"
            ),
        },
    }


DATABASE_URL = _required("DATABASE_URL")
DATABASES = {"default": _postgresql(DATABASE_URL) if DATABASE_URL else _sqlite()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


# Application

ROOT_URLCONF = "invoicing_site.urls"
WSGI_APPLICATION = "invoicing_site.wsgi.application"
AUTH_USER_MODEL = "invoicing_site.User"

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_tables2",
    "django_filters",
    "lucide",
    "invoicing_site",
    "contracts",
    "actuals",
    "backlog",
    "proforma",
    "ledger",
]

MIDDLEWARE = [
    "invoicing_site.pages.health.health",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "invoicing_site.middleware.content_security_policy",
    "invoicing_site.middleware.permissions_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "contracts.middleware.company",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

# Metrics for Prometheus: without a token they are not even measured
METRICS_TOKEN = os.environ.get("LEDGERLINE_METRICS_TOKEN", "")
if METRICS_TOKEN:
    if len(METRICS_TOKEN) < 32:
        raise ImproperlyConfigured("LEDGERLINE_METRICS_TOKEN is too short: set 32 or more random characters.")
    MIDDLEWARE = [
        MIDDLEWARE[0],
        "invoicing_site.pages.metrics.metrics",
        "django_prometheus.middleware.PrometheusBeforeMiddleware",
        *MIDDLEWARE[1:],
        "django_prometheus.middleware.PrometheusAfterMiddleware",
    ]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "invoicing_site.pages.navigation.frame",
            ],
        },
    },
]

# The administrator's pages: grouped by what an administrator thinks of, in the colours of the other pages


def _group(title, about, *pages, closed=True):
    """One part of the sidebar and what it is for; a page is its title, its icon and app_model."""
    items = [
        {"title": name, "icon": icon, "link": reverse_lazy(f"admin:{model}_changelist")}
        for name, icon, model in pages
    ]
    return {"title": title, "about": about, "collapsible": closed, "items": items}


UNFOLD = {
    "SITE_TITLE": "Ledgerline",
    "SITE_HEADER": "Ledgerline",
    "SITE_SYMBOL": "receipt_long",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "invoicing_site.pages.checklist.dashboard",
    "COLORS": {
        "primary": {
            "50": "oklch(97.5% .012 264)",
            "100": "oklch(95.5% .022 264)",
            "200": "oklch(89% .055 264)",
            "300": "oklch(81% .1 264)",
            "400": "oklch(72% .13 264)",
            "500": "oklch(60% .16 264)",
            "600": "oklch(48% .17 264)",
            "700": "oklch(42% .17 264)",
            "800": "oklch(36% .14 264)",
            "900": "oklch(30% .1 264)",
            "950": "oklch(22% .07 264)",
        },
    },
    "SIDEBAR": {
        "show_search": True,
        "navigation": [
            _group(
                "Company and people",
                "The company's parameters, and who is what in it.",
                ("Legal entities", "domain", "contracts_legalentity"),
                ("Organizational units", "account_tree", "contracts_organizationalunit"),
                ("Users", "person", "invoicing_site_user"),
                ("Memberships", "badge", "contracts_membership"),
                ("Resources", "engineering", "contracts_resource"),
                closed=False,
            ),
            _group(
                "Customers and work",
                "Who is billed, and what for: customers, projects, roles, categories, products.",
                ("Customers", "storefront", "contracts_customer"),
                ("Projects", "work", "contracts_project"),
                ("Project groups", "folder_copy", "contracts_projectgroup"),
                ("Roles", "co_present", "contracts_role"),
                ("Categories", "category", "contracts_category"),
                ("Products", "inventory_2", "contracts_product"),
                ("Units of measure", "straighten", "contracts_measureunit"),
                closed=False,
            ),
            _group(
                "Contracts and prices",
                "What was agreed with customers, at which prices, billed how often.",
                ("Contracts", "handshake", "contracts_projectcontract"),
                ("Contract lines", "list_alt", "contracts_contractline"),
                ("Order numbers", "receipt_long", "contracts_purchaseorder"),
                ("Price lists", "sell", "contracts_pricelist"),
                ("Invoice frequencies", "event_repeat", "contracts_invoicefrequency"),
                ("Payment terms", "schedule", "contracts_paymentterm"),
                ("Invoice layouts", "view_agenda", "ledger_proposallayout"),
                closed=False,
            ),
            _group(
                "Tax and rates",
                "Which tax applies to whom and what, and what currencies are worth.",
                ("Tax codes", "percent", "ledger_taxcode"),
                ("Billing tax groups", "group_work", "contracts_billingtaxgroup"),
                ("Item tax groups", "workspaces", "contracts_itemtaxgroup"),
                ("Exchange rates", "currency_exchange", "contracts_exchangerate"),
            ),
            _group(
                "Books",
                "Where invoices and costs are posted, in which periods, under which numbers.",
                ("Fiscal years", "calendar_month", "ledger_fiscalyear"),
                ("Fiscal periods", "date_range", "ledger_fiscalperiod"),
                ("Number sequences", "tag", "contracts_numbersequence"),
                ("Accounts", "account_balance", "ledger_account"),
                ("Posting accounts", "call_split", "ledger_postingaccount"),
                ("Profiles", "tune", "ledger_profile"),
                ("Profile assignments", "assignment", "ledger_profileassignment"),
                ("Dimensions", "deployed_code", "ledger_dimension"),
                ("Default dimensions", "arrow_split", "ledger_defaultdimension"),
            ),
            _group(
                "Look up: work",
                "Entries and what became of them, to search and never to change.",
                ("Entries", "edit_note", "actuals_entry"),
                ("Imports", "upload_file", "actuals_entryimport"),
                ("Actuals", "fact_check", "actuals_actual"),
                ("Batches", "stacks", "actuals_batch"),
                ("Price decisions", "price_check", "actuals_pricedecision"),
                ("Backlog items", "pending_actions", "backlog_backlogitem"),
                ("Backlog actions", "touch_app", "backlog_backlogaction"),
                ("Adjustments", "contrast", "backlog_adjustment"),
                ("Correction journals", "history_edu", "backlog_correctionjournal"),
                ("Milestones", "flag", "contracts_milestone"),
                ("Retainers", "savings", "contracts_retainer"),
            ),
            _group(
                "Look up: invoicing",
                "Runs, proformas and invoices, to search and never to change.",
                ("Invoice runs", "autorenew", "proforma_invoicerun"),
                ("Proforma invoices", "draft", "proforma_proformainvoice"),
                ("Proforma details", "format_list_bulleted", "proforma_linedetail"),
                ("Limit overrides", "warning", "proforma_limitoverride"),
                ("Invoice proposals", "rule", "ledger_invoiceproposal"),
                ("Customer invoices", "receipt", "ledger_customerinvoice"),
                ("Deliveries", "outgoing_mail", "ledger_delivery"),
            ),
            _group(
                "Look up: books",
                "Journals, vouchers and what stands in the ledgers, to search and never to change.",
                ("Integration journals", "menu_book", "ledger_integrationjournal"),
                ("Journal lines", "reorder", "ledger_journalline"),
                ("Vouchers", "confirmation_number", "ledger_voucher"),
                ("Ledger entries", "balance", "ledger_ledgerentry"),
                ("Customer transactions", "payments", "ledger_customertransaction"),
                ("Project transactions", "query_stats", "ledger_projecttransaction"),
            ),
            _group(
                "Who did what",
                "Every action and change, and the files that were kept.",
                ("Audit events", "policy", "invoicing_site_auditevent"),
                ("Stored files", "folder_open", "invoicing_site_storedfile"),
            ),
        ],
    },
}


# Language and time: UTC in the database; a legal entity knows its own day

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("nb", "Norsk bokmål")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"


# Who is offered at the sign-in page; the demo is not even imported in production.
DEMO_VISITORS = "" if PRODUCTION else "invoicing_site.demo.visitors.visitors"


# Receipts, documents and imported files: a folder, or a bucket that several machines share


def _files():
    """LEDGERLINE_DATA/files, or the bucket that LEDGERLINE_FILES names: s3://bucket or s3://bucket/folder."""
    url = os.environ.get("LEDGERLINE_FILES")
    if not url:
        return {"BACKEND": "invoicing_site.floor.files.Folder"}
    parts = urlsplit(url)
    if parts.scheme != "s3" or not parts.hostname or parts.query or parts.username:
        raise ImproperlyConfigured("LEDGERLINE_FILES must read s3://bucket or s3://bucket/folder.")
    try:
        from botocore.config import Config
    except ImportError:
        raise ImproperlyConfigured(
            "LEDGERLINE_FILES names a bucket, which needs more packages: "
            "pip install --require-hashes -r requirements-s3.lock"
        ) from None
    endpoint = os.environ.get("LEDGERLINE_S3_ENDPOINT") or None
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": parts.netloc,
            "location": parts.path.strip("/"),
            "endpoint_url": endpoint,
            "region_name": os.environ.get("LEDGERLINE_S3_REGION") or None,
            # Without a key, those of the machine's own role count.
            "access_key": os.environ.get("LEDGERLINE_S3_KEY") or None,
            "secret_key": os.environ.get("LEDGERLINE_S3_SECRET") or None,
            "file_overwrite": True,  # a name is the hash of its bytes: no other bytes can come under it
            "client_config": Config(
                s3={"addressing_style": "path" if endpoint else "auto"},
                connect_timeout=3,
                read_timeout=20,
                retries={"mode": "standard", "total_max_attempts": 2},
                # Other makes than Amazon's may not know its newest checksums; files.py has its own.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        },
    }


# Static files: found where they lie; in production collected, compressed, under names that never change

STATIC_URL = "static/"
STATIC_ROOT = Path(os.environ.get("LEDGERLINE_STATIC") or BASE_DIR / "staticfiles") if PRODUCTION else None
STATICFILES_DIRS = [path for path in [BASE_DIR / "static"] if path.is_dir()]
WHITENOISE_USE_FINDERS = not PRODUCTION
STORAGES = {
    "default": _files(),
    "staticfiles": {
        "BACKEND": (
            "whitenoise.storage.CompressedManifestStaticFilesStorage"
            if PRODUCTION
            else "django.contrib.staticfiles.storage.StaticFilesStorage"
        ),
    },
}


# Who comes in, and what a browser may do

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
SESSION_COOKIE_AGE = 14 * 24 * 60 * 60
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
CSRF_COOKIE_HTTPONLY = True

if PRODUCTION:
    # The proxy in front must set this header itself and drop what a client sends under its name.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True

# A form is small: what people select travels as one field, and files beyond a size wait on the disk.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
DATA_UPLOAD_MAX_NUMBER_FILES = 20
FILE_UPLOAD_MAX_MEMORY_SIZE = 2_621_440

# How many proxies stand in front and add to X-Forwarded-For; the address of a client is what the first says.
LEDGERLINE_PROXIES = int(os.environ.get("LEDGERLINE_PROXIES") or PRODUCTION)


# Tasks: a message only notifies and a row is the truth, so a lost or a doubled one does no harm

CELERY_BROKER_URL = os.environ.get("CELERY_BROKER_URL") or "memory://"
if PRODUCTION and CELERY_BROKER_URL.startswith("memory:"):
    raise ImproperlyConfigured("LEDGERLINE_PRODUCTION is set, so CELERY_BROKER_URL must name a broker.")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"polling_interval": 0.2}
    if CELERY_BROKER_URL.startswith("memory:")
    # Longer than any task, or Redis delivers it again while it is still at work; and nobody who clicked
    # waits for a broker that is down.
    else {"visibility_timeout": 2 * 60 * 60, "socket_connect_timeout": 3, "max_retries": 1}
)
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2}
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA / "celerybeat-schedule")


# Cache: counts the tries to sign in, for all web processes together; nothing is lost when it is emptied


def _next_database(url):
    """The same Redis, and the database after the broker's: emptying the cache loses no message."""
    parts = urlsplit(url)
    return parts._replace(path=f"/{int(parts.path.strip('/') or 0) + 1}").geturl()


CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": os.environ.get("CACHE_URL") or _next_database(CELERY_BROKER_URL),
        "KEY_PREFIX": "ledgerline",
        "OPTIONS": {"socket_connect_timeout": 3, "socket_timeout": 3},
    }
    if CELERY_BROKER_URL.startswith(("redis://", "rediss://"))
    else {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},  # a full one forgets at random
    }
}


# Mail: without a server, messages are kept as files

EMAIL_HOST = os.environ.get("EMAIL_HOST", "")
EMAIL_PORT = int(os.environ.get("EMAIL_PORT") or 587)
EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = _flag("EMAIL_USE_TLS", "1")
EMAIL_TIMEOUT = 20
EMAIL_FILE_PATH = DATA / "mail"
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'filebased'}.EmailBackend"
DEFAULT_FROM_EMAIL = os.environ.get("DEFAULT_FROM_EMAIL", "ledgerline@localhost")
SEAL_MAIL = _words("LEDGERLINE_SEAL_MAIL")  # who keeps the newest seal outside of the database


# Logging: one JSON object a line for a machine in production, plain lines for a person otherwise

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
        "json": {"()": "invoicing_site.logs.JsonLines"},
    },
    "filters": {"faults of clients": {"()": "invoicing_site.logs.FaultsOfClients"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "json" if PRODUCTION else "plain",
            "filters": ["faults of clients"],
        },
    },
    "root": {"handlers": ["stderr"], "level": os.environ.get("LOG_LEVEL", "INFO").upper()},
    "loggers": {
        # Django's own handlers would write a second line, or send mail to nobody.
        "django": {"handlers": [], "propagate": True},
        # That a task succeeded is news to whoever watches workers, not to somebody at a command line.
        "celery.app.trace": {"level": "INFO" if PRODUCTION else "WARNING"},
        "fontTools": {"level": "WARNING"},
        "weasyprint": {"level": "ERROR"},
    },
}
