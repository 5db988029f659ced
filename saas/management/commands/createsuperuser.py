"""`manage.py createsuperuser`: somebody who runs the platform, from its console at admin.BASE_DOMAIN."""

from __future__ import annotations

import getpass
import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email

from plugin_framework.audit import COMMAND_LINE
from plugin_framework.tenancy import tenant_scope
from tenants.accounts import people
from tenants.accounts.models import Role, User
from tenants.provisioning import ensure_platform


class Command(BaseCommand):
    """Replaces Django's, which knows nothing of tenants: superadmins are the people of the platform's own one."""

    help = "Add a superadmin. The password is asked for, or taken from DJANGO_SUPERUSER_PASSWORD."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Who it is."""
        parser.add_argument("--email", required=True, help="the address to sign in with")
        parser.add_argument("--name", default="", help="what to call them")

    def handle(self, *args: Any, email: str, name: str, **options: Any) -> None:
        """Add them."""
        password = os.environ.get("DJANGO_SUPERUSER_PASSWORD") or _ask()
        try:
            validate_email(email)
            validate_password(password, User(email=email, name=name))
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        platform = ensure_platform()
        with tenant_scope(platform):
            try:
                user = people.add(email, password, name=name, role=Role.OWNER, actor=COMMAND_LINE, verified=True)
            except people.EmailTaken as error:
                raise CommandError(f"{email} is a superadmin already.") from error
        self.stdout.write(f"{user.email} can sign in at {platform.host}.")


def _ask() -> str:
    if not sys.stdin.isatty():
        raise CommandError("There is no terminal to ask for a password: set DJANGO_SUPERUSER_PASSWORD.")
    first = getpass.getpass("Password: ")
    if first != getpass.getpass("The same again: "):
        raise CommandError("The two passwords differ. Nothing was done.")
    return first
