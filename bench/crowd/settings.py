"""Settings of our side of these benchmarks: the shipped ones, without password hashing."""

from saas.settings import *  # noqa: F403  # Django's own idiom for a settings file over another

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # what Argon2 takes on purpose would hide the rest
SIGNUPS_PER_HOUR_AND_ADDRESS = SIGNUPS_PER_HOUR_AND_MAIL_DOMAIN = 1_000_000
