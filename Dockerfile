# One image for web and worker. Settings come from the environment; README.md lists them.
FROM python:3.13-slim AS build
WORKDIR /build
COPY requirements.lock .
RUN python -m venv /opt/tenantry \
    && /opt/tenantry/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements.lock

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /app tenantry \
    && install --directory --owner tenantry /var/lib/tenantry/metrics /var/lib/tenantry/media
COPY --from=build /opt/tenantry /opt/tenantry
WORKDIR /app
COPY manage.py ./
COPY saas saas
COPY tenants tenants
COPY plugin_framework plugin_framework
COPY plugins plugins
COPY templates templates
COPY locale locale
ENV PATH=/opt/tenantry/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    STATIC_ROOT=/app/static TENANTRY_DATA=/tmp/tenantry METRICS_DIR=/var/lib/tenantry/metrics \
    MEDIA_ROOT=/var/lib/tenantry/media
# collectstatic needs settings, but no database and no real secrets.
RUN nobodys_key=for-collecting-static-files-only-not-kept; \
    DATABASE_URL=postgresql://nobody@127.0.0.1/none SECRET_KEY=$nobodys_key SECRETS_KEYS=$nobodys_key \
    python manage.py collectstatic --noinput
USER tenantry
EXPOSE 8000
CMD ["gunicorn", "saas.wsgi", "--bind", "0.0.0.0:8000", "--workers", "2", "--worker-class", "gthread", "--threads", "4", \
     "--logger-class", "saas.gunicorn_logs.Logger"]
