"""Tenantry's settings: everything that differs between installations comes from the environment."""

from __future__ import annotations

from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

from saas.logs import formatter
from saas.periods import at_least_one, days
from saas.plugin_apps import plugin_apps
from saas.postgres import django_database
from saas.secret_files import development_secret, long_enough
from saas.switches import switch

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DEBUG = env.bool("DEBUG", default=False)
DEMO = env.bool(
    "TENANTRY_DEMO", default=False
)  # `manage.py demo` sets it: inbox pages, loopback destinations, demo people
DATA_DIR = Path(env.str("TENANTRY_DATA", default=str(BASE_DIR / ".data")))
METRICS_DIR = Path(
    env.str("METRICS_DIR", default=str(DATA_DIR / "metrics"))
)  # where web and workers count, for /metrics
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")  # whoever has it may read /metrics; without one there is none
BASE_DOMAIN = env.str("BASE_DOMAIN", default="localhost").lower()
SECRET_KEY = env.str("SECRET_KEY", default="") or development_secret(DATA_DIR, "secret_key")
SECRETS_KEYS = env.list("SECRETS_KEYS", default=[]) or [development_secret(DATA_DIR, "secrets_key")]
long_enough("SECRET_KEY", [SECRET_KEY])
long_enough("SECRETS_KEYS", SECRETS_KEYS)
long_enough("METRICS_TOKEN", [METRICS_TOKEN] if METRICS_TOKEN else [])

# Which host is served at all is decided by tenants.middleware from the domains in the database, before anything else looks.
ALLOWED_HOSTS = ["*"]

# Each app stands in exactly one of these lists (a system check): its tables are in the public schema, in every tenant's, or in
# the schemas of those tenants that installed the plugin.
SHARED_APPS = [
    "tenants",
    "plugin_framework.catalog",
    "plugin_framework.delivery",
    "django.contrib.contenttypes",
    "saas.throttle",
]
TENANT_APPS = [
    "plugin_framework",
    "tenants.accounts",
    "django.contrib.auth",
    "django.contrib.sessions",
    "allauth.account",
]
PLUGINS = {
    "email_notifications": {"module": "plugins.email_plugin", "class": "EmailNotificationPlugin"},
    "slack_notifications": {"module": "plugins.slack_plugin", "class": "SlackNotificationPlugin"},
    "orders": {"module": "plugins.orders_plugin", "class": "OrdersPlugin"},
    "invoices": {"module": "plugins.invoices_plugin", "class": "InvoicesPlugin"},
    "announcements": {"module": "plugins.announcements_plugin", "class": "AnnouncementsPlugin"},
    "usage_analytics": {"module": "plugins.usage_analytics_plugin", "class": "UsageAnalyticsPlugin"},
    "webhooks": {"module": "plugins.webhooks_plugin", "class": "WebhooksPlugin"},
    "signup_rules": {"module": "plugins.signup_rules_plugin", "class": "SignupRulesPlugin"},
}
PLUGIN_APPS = plugin_apps(PLUGINS)
INSTALLED_APPS = [
    "saas",  # first: its commands replace Django's and django-tenants' migrate
    *TENANT_APPS,
    *SHARED_APPS,
    "allauth",
    "django_htmx",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_tenants",
    "plugin_framework.app_guard",  # drops from here on what cannot be loaded
    *PLUGIN_APPS,  # last: where two have a template, a static file or a command of one name, it is not the plugin's that is taken
]

MIDDLEWARE = [
    "saas.requests.RequestMiddleware",
    "saas.compression.CompressionMiddleware",
    "saas.content_policy.ContentPolicyMiddleware",  # with the next one before all that answers by itself
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "saas.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.locale.LocaleMiddleware",  # before the tenant is known: "not found" and "suspended" are read too
    "tenants.middleware.TenantMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "saas.not_allowed.NotAllowedMiddleware",
    "saas.site.devices.DeviceMiddleware",
    "plugin_framework.middleware.PluginMiddleware",
    # The innermost: some of allauth's answers are raised, and whatever it does not take up is an error that the one above reports.
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "saas.urls_tenant"
PUBLIC_URLCONF = "saas.urls_public"
PLATFORM_URLCONF = "saas.urls_platform"
WSGI_APPLICATION = "saas.wsgi.application"

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
                "saas.context.site",
            ],
        },
    }
]

_database = django_database()
DATABASES = {
    "default": {
        **_database,
        "ENGINE": "plugin_framework.db",
        "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=60),
        # Our own wrapper's: after so many schemas a connection is replaced, because PostgreSQL keeps the catalog of each in memory.
        "CONN_MAX_SCHEMAS": at_least_one(env.int("CONN_MAX_SCHEMAS", default=200), "CONN_MAX_SCHEMAS"),
        "CONN_HEALTH_CHECKS": False,  # a round trip per request; a broken connection is replaced after the request that met it
        "OPTIONS": {
            **_database.get("OPTIONS", {}),
            "options": '-c search_path=""',  # tenancy.NOWHERE: a raw connection sees no table until somebody says which tenant's
        },
    }
}
CITUS = switch(env.str("CITUS", default=""), "CITUS")  # tenants' schemas are spread over the servers of a Citus cluster
DATABASE_ROUTERS = ["plugin_framework.db.router.SchemaRouter"]
TENANT_SYNC_ROUTER = "plugin_framework.db.router.SchemaRouter"
TENANT_MODEL = "tenants.Tenant"
TENANT_DOMAIN_MODEL = "tenants.Domain"
PUBLIC_SCHEMA_NAME = "public"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["email", "name"]},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"

ACCOUNT_ADAPTER = "tenants.accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "tenants.accounts.allauth_forms.LoginForm",
    "add_email": "tenants.accounts.allauth_forms.AddEmailForm",
    "change_password": "tenants.accounts.allauth_forms.ChangePasswordForm",
    "set_password": "tenants.accounts.allauth_forms.SetPasswordForm",
    "reset_password": "tenants.accounts.allauth_forms.ResetPasswordForm",
    "reset_password_from_key": "tenants.accounts.allauth_forms.ResetPasswordKeyForm",
    "reauthenticate": "tenants.accounts.allauth_forms.ReauthenticateForm",
    "confirm_email_verification_code": "tenants.accounts.allauth_forms.ConfirmEmailVerificationCodeForm",
    "confirm_login_code": "tenants.accounts.allauth_forms.ConfirmLoginCodeForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_EMAIL_CONFIRMATION_AUTHENTICATED_REDIRECT_URL = "/accounts/email/"  # where one has added the address
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True  # allauth's signed link can be replayed on another tenant
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
# Before data leaves or is deleted (`saas/site/confirming.py`), and before addresses change: by a new one the password can be set anew.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
CONFIRMED_FOR_MINUTES = at_least_one(env.int("CONFIRMED_FOR_MINUTES", default=5), "CONFIRMED_FOR_MINUTES")
ACCOUNT_REAUTHENTICATION_TIMEOUT = 60 * CONFIRMED_FOR_MINUTES
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "tenants.accounts.tokens.PasswordResetTokenGenerator"  # noqa: S105  # the path of a class

SESSION_ENGINE = (
    "django.contrib.sessions.backends.db"  # in the tenant's schema; signed cookies would be good on every tenant
)
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "saas.errors.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"  # the public host has no sessions

HTTPS = env.bool("HTTPS", default=not (DEBUG or DEMO or BASE_DOMAIN == "localhost"))
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
if HTTPS:
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = (
        "__Host-session",
        "__Host-csrf",
    )  # browsers refuse these with a Domain attribute
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31536000)
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=False)
    if env.bool("BEHIND_PROXY", default=False):
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
PUBLIC_PORT = env.int("PUBLIC_PORT", default=443 if HTTPS else 8000)  # the port people see in links
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)  # how many proxies append to X-Forwarded-For
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_CSP = {
    "default-src": ["'none'"],  # frames, plug-ins, workers of other origins: what has no line of its own here
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'"],
    "font-src": ["'self'"],
    "media-src": ["'self'"],
    "manifest-src": ["'self'"],
    "connect-src": ["'self'"],
    "object-src": ["'none'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
    "form-action": ["'self'", f"*.{BASE_DOMAIN}:*"],  # signing an organisation up leads to its own host
}

STATIC_URL = "/static/"
STATIC_ROOT = env.str("STATIC_ROOT", default="") or None
WHITENOISE_USE_FINDERS = STATIC_ROOT is None  # in development nothing has to be collected

# Each tenant's files are in a folder of its own, and only its signed-in people get them (`saas/site/files.py`).
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", default=str(DATA_DIR / "media")))
MEDIA_URL = "/files/"
FILE_UPLOAD_PERMISSIONS, FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o600, 0o700
STORAGES = {
    "default": {"BACKEND": "plugin_framework.quotas.files.CountedStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"  # `collectstatic` writes a compressed copy beside each
        if STATIC_ROOT
        else "django.contrib.staticfiles.storage.StaticFilesStorage",
        # Unlike what organisations keep, everybody may read these: who collects them is not who serves them.
        "OPTIONS": {"file_permissions_mode": 0o644, "directory_permissions_mode": 0o755},
    },
}

EMAIL_URL = env.str("EMAIL_URL", default="smtp://localhost:25")
_email = env.email_url_config(EMAIL_URL)
_smtp = {
    "host": _email.get("EMAIL_HOST") or "localhost",
    "port": _email.get("EMAIL_PORT") or 25,
    "username": _email.get("EMAIL_HOST_USER") or "",
    "password": _email.get("EMAIL_HOST_PASSWORD") or "",
    "use_tls": bool(_email.get("EMAIL_USE_TLS")),
    "use_ssl": bool(_email.get("EMAIL_USE_SSL")),
    "timeout": 10,
}
MAILERS = {
    "default": {
        "BACKEND": _email["EMAIL_BACKEND"],
        "OPTIONS": _smtp if _email["EMAIL_BACKEND"].endswith(".smtp.EmailBackend") else {},
    }
}
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=f"Tenantry <no-reply@{BASE_DOMAIN}>")

SPARE_SCHEMAS = env.int("SPARE_SCHEMAS", default=5)  # kept ready for sign-ups by the worker; 0: each makes its own
if SPARE_SCHEMAS < 0:
    raise ImproperlyConfigured("SPARE_SCHEMAS is how many schemas are kept ready: 0 or more.")
PLUGIN_ALLOW_LOOPBACK = env.bool("PLUGIN_ALLOW_LOOPBACK", default=DEMO)  # development and the demo only
SIGNUPS_PER_HOUR_AND_ADDRESS = env.int("SIGNUPS_PER_HOUR_AND_ADDRESS", default=10)
SIGNUPS_PER_HOUR_AND_MAIL_DOMAIN = env.int("SIGNUPS_PER_HOUR_AND_MAIL_DOMAIN", default=50)
REGISTRATIONS_PER_HOUR_AND_ADDRESS = env.int("REGISTRATIONS_PER_HOUR_AND_ADDRESS", default=60)  # in one organisation
DELIVERIES_KEEP_DAYS = days(env.int("DELIVERIES_KEEP_DAYS", default=30), "DELIVERIES_KEEP_DAYS")  # after they ended
DEAD_DELIVERIES_KEEP_DAYS = days(env.int("DEAD_DELIVERIES_KEEP_DAYS", default=90), "DEAD_DELIVERIES_KEEP_DAYS")
TENANT_DELETE_DAYS = days(
    env.int("TENANT_DELETE_DAYS", default=30), "TENANT_DELETE_DAYS"
)  # until its data goes for good
TENANT_HOST_REST_DAYS = days(
    env.int("TENANT_HOST_REST_DAYS", default=90), "TENANT_HOST_REST_DAYS"
)  # nobody's after that

CACHES = {
    "default": {
        "BACKEND": "saas.throttle.cache.TenantCache",
        "LOCATION": "tenantry_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

DEFAULT_EXCEPTION_REPORTER = "saas.error_reports.Reporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "saas.error_reports.Filter"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]  # each called as its speakers call it
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["saas.formats"]
LANGUAGE_COOKIE_NAME = "language"  # what somebody has chosen in this browser, instead of what it asks for
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY, LANGUAGE_COOKIE_SAMESITE, LANGUAGE_COOKIE_SECURE = True, "Lax", HTTPS
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"tenant": {"()": "saas.logs.TenantFilter"}},
    "formatters": {"line": {"()": formatter(env.str("LOG_FORMAT", default="text" if DEBUG or DEMO else "json"))}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["tenant"]}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
}
