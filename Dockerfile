FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    LEDGERLINE_PRODUCTION=1 \
    LEDGERLINE_DATA=/data \
    LEDGERLINE_STATIC=/static \
    XDG_CACHE_HOME=/tmp

# Libraries and a font for WeasyPrint.
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 ledgerline \
    && install -d -o ledgerline -g ledgerline /data

WORKDIR /app
# requirements-s3.lock has the packages for files in a bucket as well.
ARG LOCK=requirements.lock
COPY requirements*.lock ./
RUN pip install --require-hashes -r $LOCK

COPY . ./
# The settings require these variables; the values are used by this command only and are not stored.
RUN SECRET_KEY=collects-static-files-0123456789-abcdefghijklmnopqrstuvwxyz ALLOWED_HOSTS=none DATABASE_URL=postgres://none/none CELERY_BROKER_URL=redis://none \
    python manage.py collectstatic --noinput --verbosity 0

USER ledgerline
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health/', timeout=4)"]
CMD ["python", "manage.py", "up", "--host", "0.0.0.0", "--workers", "3"]
