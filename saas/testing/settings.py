"""Settings for tests: the same program on a server of its own, quicker password hashing, loopback destinations allowed."""

import os
from pathlib import Path

from saas.testing import place

_BASE = Path(__file__).resolve().parents[2]
TEST_CLUSTER = None if os.environ.get("DATABASE_URL") else place.cluster()
if TEST_CLUSTER is not None:
    os.environ["DATABASE_URL"] = TEST_CLUSTER.url("postgres")
os.environ.setdefault("SECRET_KEY", "for-tests-only-" + "x" * 40)
os.environ.setdefault("SECRETS_KEYS", "for-tests-only-" + "y" * 40)
os.environ.setdefault("BASE_DOMAIN", "localhost")
os.environ.setdefault("PLUGIN_ALLOW_LOOPBACK", "true")
os.environ.setdefault("SPARE_SCHEMAS", "0")  # no worker runs beside most tests: who signs up has a schema made at once
os.environ.setdefault("EMAIL_URL", "memorymail://")
os.environ.setdefault("MEDIA_ROOT", str(_BASE / ".data" / "test-media"))  # tests with a database have one of their own
# One for each process of a run: what another counts meanwhile is not this one's. The first process hands on its own with its environment.
_COUNTS = _BASE / ".data" / "metrics-tests"
if os.environ.setdefault("METRICS_DIR", str(_COUNTS)) == str(_COUNTS) and (
    worker := os.environ.get("PYTEST_XDIST_WORKER")
):
    os.environ["METRICS_DIR"] = f"{_COUNTS}-{worker}"
for limit in ("SIGNUPS_PER_HOUR_AND_ADDRESS", "SIGNUPS_PER_HOUR_AND_MAIL_DOMAIN", "REGISTRATIONS_PER_HOUR_AND_ADDRESS"):
    os.environ.setdefault(limit, "1000000")  # all tests come from one address

from saas.settings import *  # noqa: E402, F403  # Django's own idiom for a settings file over another

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # thousands of sign-ups must not wait for argon2
