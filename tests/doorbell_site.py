"""A site with one page that rings and one task that answers: shows which process and thread does the work.

Run as a program it is `manage.py` on these pages.
"""

import os
import sys
import threading
from pathlib import Path

from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.urls import path

from invoicing_site.celery import app, ring


@app.task(name="tests.doorbell_site.answer")
def answer(file):
    draft = Path(file + ".draft")
    draft.write_text(f"{os.getpid()} {threading.current_thread().name}")
    draft.rename(file)


@login_not_required
def press(request):
    ring("tests.doorbell_site.answer", request.GET["file"])
    return HttpResponse(f"{os.getpid()} {threading.current_thread().name}")


urlpatterns = [path("press/", press)]


if __name__ == "__main__":
    import django
    from django.conf import settings
    from django.core.management import execute_from_command_line

    os.environ["DJANGO_SETTINGS_MODULE"] = "invoicing_site.settings"
    django.setup()
    settings.ROOT_URLCONF = "tests.doorbell_site"
    execute_from_command_line(sys.argv)
