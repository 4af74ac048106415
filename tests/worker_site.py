"""A site with one page that requests a job; it shows which process and thread runs the job.

As a program it is `manage.py` with these pages.
"""

import os
import sys
import threading
from pathlib import Path

from django.apps import apps
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.urls import path

if apps.ready:  # as a program this file is loaded twice, the first time before Django is set up
    from invoicing_site.floor import jobs

    @jobs.register("answer", title="Answer", permission=jobs.SYSTEM)
    def answer(work, file):
        draft = Path(file + ".draft")
        draft.write_text(f"{os.getpid()} {threading.current_thread().name}")
        draft.rename(file)


@login_not_required
def press(request):
    jobs.enqueue_on_commit("answer", file=request.GET["file"])
    return HttpResponse(f"{os.getpid()} {threading.current_thread().name}")


urlpatterns = [path("press/", press)]


if __name__ == "__main__":
    import django
    from django.conf import settings
    from django.core.management import execute_from_command_line

    os.environ["DJANGO_SETTINGS_MODULE"] = "invoicing_site.settings"
    django.setup()
    settings.ROOT_URLCONF = "tests.worker_site"
    execute_from_command_line(sys.argv)
