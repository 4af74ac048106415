"""The settings of the product, with separate databases and folders for tests.

The database is a separate SQLite file, or a database on the server in TEST_DATABASE_URL (PostgreSQL).
"""

import atexit
import os
import shutil
import tempfile

from tests import clock  # noqa: F401 - sets it

_folder = tempfile.mkdtemp(prefix="ledgerline-tests-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)

# Before the import, because the settings read the environment once. Processes that tests start inherit it.
os.environ["LEDGERLINE_DATA"] = _folder
os.environ["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL", "")
os.environ["CELERY_BROKER_URL"] = ""
for _name in ("LEDGERLINE_PRODUCTION", "DEBUG", "SECRET_KEY", "ALLOWED_HOSTS", "EMAIL_HOST"):
    os.environ.pop(_name, None)

from invoicing_site.settings import *  # noqa: E402, F403 - this file is those settings, with exceptions
from invoicing_site.settings import DATA, DATABASE_URL, DATABASES  # noqa: E402 - see above

if not DATABASE_URL:
    # A file, because threads of a test could not share a database in memory.
    DATABASES["default"]["TEST"] = {"NAME": DATA / "test.sqlite3"}
DATABASES["default"]["CONN_MAX_AGE"] = 0

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast; there are no real passwords
WHITENOISE_AUTOREFRESH = True  # otherwise every test client would list all static files first
TEST_REDIS_URL = os.environ.get("TEST_REDIS_URL", "")
