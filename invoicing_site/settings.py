"""Every setting, read from the environment.

Without any variable this is the embedded profile: an SQLite file, tasks in memory, all data in one folder.
`DATABASE_URL` and `CELERY_BROKER_URL` set real servers. `LEDGERLINE_PRODUCTION=1` makes the settings strict,
and refuses to start if a required one is missing.
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
    """A setting that is required in production, where defaults for secrets or hosts would be insecure."""
    if PRODUCTION and not os.environ.get(name):
        raise ImproperlyConfigured(f"LEDGERLINE_PRODUCTION is set, so {name} must be set as well.")
    return os.environ.get(name)


# Profile and data folder

PRODUCTION = _flag("LEDGERLINE_PRODUCTION")
DEBUG = _flag("DEBUG")
if PRODUCTION and DEBUG:
    raise ImproperlyConfigured("DEBUG shows secrets on error pages. Unset DEBUG or LEDGERLINE_PRODUCTION.")

DATA = Path(os.environ.get("LEDGERLINE_DATA") or BASE_DIR / "var").resolve()
DATA.mkdir(mode=0o700, parents=True, exist_ok=True)


def _kept_secret_key():
    """The key that is created at the first start, written atomically so that two processes use the same."""
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
    """Return the key if it is strong enough by Django's own check (security.W009)."""
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
    """Read postgres://user:password@host:port/name?sslmode=require; parameters after ? go to libpq."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql") or not parts.path.strip("/"):
        raise ImproperlyConfigured("DATABASE_URL must have the form postgres://user:password@host:port/name.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        # PostgreSQL would compile long statements first, which takes up to two seconds and saves less.
        "OPTIONS": {"options": "-c jit=off", **dict(parse_qsl(parts.query))},
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


def _sqlite():
    """One writer at a time: BEGIN IMMEDIATE takes the lock at the start, so no transaction fails later."""
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
                # Without it, INSERT OR REPLACE deletes rows without running their triggers.
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
    "invoicing_site.middleware.CompressText",
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

# Metrics for Prometheus; without a token, nothing is measured
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

# The pages of the administration: grouped by topic, in the colors of the other pages


def _group(title, about, *pages, closed=True):
    """One group of the sidebar with its purpose; a page is its title, its icon and app_model."""
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
                "Legal entity and people",
                "The parameters of the legal entity, and its people with their roles.",
                ("Legal entities", "domain", "contracts_legalentity"),
                ("Organizational units", "account_tree", "contracts_organizationalunit"),
                ("Users", "person", "invoicing_site_user"),
                ("Memberships", "badge", "contracts_membership"),
                ("Resources", "engineering", "contracts_resource"),
                closed=False,
            ),
            _group(
                "Customers and work",
                "Customers, projects, roles, categories and products.",
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
                "Contracts with customers, prices, and how often they are billed.",
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
                "Tax codes, tax groups and exchange rates.",
                ("Tax codes", "percent", "ledger_taxcode"),
                ("Billing tax groups", "group_work", "contracts_billingtaxgroup"),
                ("Item tax groups", "workspaces", "contracts_itemtaxgroup"),
                ("Exchange rates", "currency_exchange", "contracts_exchangerate"),
            ),
            _group(
                "Books",
                "Accounts, periods and number sequences for posting.",
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
                "Entries, actuals and backlog items (read-only).",
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
                "Runs, proformas and invoices (read-only).",
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
                "Journals, vouchers and ledger entries (read-only).",
                ("Integration journals", "menu_book", "ledger_integrationjournal"),
                ("Journal lines", "reorder", "ledger_journalline"),
                ("Vouchers", "confirmation_number", "ledger_voucher"),
                ("Ledger entries", "balance", "ledger_ledgerentry"),
                ("Customer transactions", "payments", "ledger_customertransaction"),
                ("Project transactions", "query_stats", "ledger_projecttransaction"),
            ),
            _group(
                "Who did what",
                "All actions and changes, and stored files.",
                ("Audit events", "policy", "invoicing_site_auditevent"),
                ("Stored files", "folder_open", "invoicing_site_storedfile"),
            ),
        ],
    },
}


# Language and time: UTC in the database; a legal entity has its own time zone

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("nb", "Norsk bokmål")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"


# The users on the sign-in page; in production, the demo is not imported.
DEMO_VISITORS = "" if PRODUCTION else "invoicing_site.demo.visitors.visitors"


# Receipts, documents and imported files: a folder, or a bucket for several machines


def _files():
    """LEDGERLINE_DATA/files, or the bucket of LEDGERLINE_FILES: s3://bucket or s3://bucket/folder."""
    url = os.environ.get("LEDGERLINE_FILES")
    if not url:
        return {"BACKEND": "invoicing_site.floor.files.Folder"}
    parts = urlsplit(url)
    if parts.scheme != "s3" or not parts.hostname or parts.query or parts.username:
        raise ImproperlyConfigured("LEDGERLINE_FILES must have the form s3://bucket or s3://bucket/folder.")
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
            # Without a key, the machine's own role is used.
            "access_key": os.environ.get("LEDGERLINE_S3_KEY") or None,
            "secret_key": os.environ.get("LEDGERLINE_S3_SECRET") or None,
            "file_overwrite": True,  # a name is the hash of its bytes, so it never gets other bytes
            "client_config": Config(
                s3={"addressing_style": "path" if endpoint else "auto"},
                connect_timeout=3,
                read_timeout=20,
                retries={"mode": "standard", "total_max_attempts": 2},
                # Other S3 services may not support Amazon's newest checksums; files.py has its own.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        },
    }


# Static files: served from their folder; in production collected, compressed, with permanent names

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


# Sign-in and browser security

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
    # The proxy in front must set this header itself and drop it from clients.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True

# Lists: up to how many rows they count and add up each time, and how many they sort without an index.
LIST_COUNTED = 10_000
LIST_SORTED = 100_000

# Forms are small: a selection is one field, and large files are written to disk.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
DATA_UPLOAD_MAX_NUMBER_FILES = 20
FILE_UPLOAD_MAX_MEMORY_SIZE = 2_621_440

# The number of proxies in front that add to X-Forwarded-For; the first one reports the client's address.
LEDGERLINE_PROXIES = int(os.environ.get("LEDGERLINE_PROXIES") or PRODUCTION)


# Tasks: a message is only a notification of a row, so a lost or duplicate message does no harm

CELERY_BROKER_URL = os.environ.get("CELERY_BROKER_URL") or "memory://"
if PRODUCTION and CELERY_BROKER_URL.startswith("memory:"):
    raise ImproperlyConfigured("LEDGERLINE_PRODUCTION is set, so CELERY_BROKER_URL must name a broker.")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"polling_interval": 0.2}
    if CELERY_BROKER_URL.startswith("memory:")
    # Longer than any task, otherwise Redis delivers it again while it is still running. Requests do not wait
    # for a broker that is down.
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


# Cache: counts sign-in attempts for all web processes; it can be emptied without loss


def _next_database(url):
    """The same Redis with the next database, so that emptying the cache loses no messages."""
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
        "OPTIONS": {"MAX_ENTRIES": 100_000},  # a full cache deletes random entries
    }
}


# Mail: without a server, messages are written to files

EMAIL_HOST = os.environ.get("EMAIL_HOST", "")
EMAIL_PORT = int(os.environ.get("EMAIL_PORT") or 587)
EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = _flag("EMAIL_USE_TLS", "1")
EMAIL_TIMEOUT = 20
EMAIL_FILE_PATH = DATA / "mail"
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'filebased'}.EmailBackend"
DEFAULT_FROM_EMAIL = os.environ.get("DEFAULT_FROM_EMAIL", "ledgerline@localhost")
SEAL_MAIL = _words("LEDGERLINE_SEAL_MAIL")  # recipients of the newest seal


# Logging: one JSON object per line in production, plain lines otherwise

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
        # Django's own handlers would write a second line or send mail.
        "django": {"handlers": [], "propagate": True},
        # Messages about successful tasks are useful for workers, not for somebody at a command line.
        "celery.app.trace": {"level": "INFO" if PRODUCTION else "WARNING"},
        "fontTools": {"level": "WARNING"},
        "weasyprint": {"level": "ERROR"},
    },
}
