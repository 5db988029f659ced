"""The people of one tenant, and the two kinds of single-use tokens that bring them in."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models, transaction
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from plugin_framework.tenancy import current_tenant


class Role(models.TextChoices):
    """What somebody may do in their organisation."""

    OWNER = "owner", _("Owner")
    ADMIN = "admin", _("Admin")
    MEMBER = "member", _("Member")


class UserManager(BaseUserManager["User"]):
    """Makes and finds accounts; an address is one account's, however it is spelt."""

    def create_user(
        self,
        email: str,
        password: str | None = None,
        *,
        username: str | None = None,
        name: str = "",
        role: str = Role.MEMBER,
        invited: bool = False,
        language: str = "",
    ) -> User:
        """Make an account in the current tenant, without telling anybody: `people.register` does that.

        Args:
            username: ignored; plugins written for other user models pass it.
            password: None makes an account that cannot sign in by password.
            invited: an invitation, used up in this transaction, has kept a place for them.
            language: in which to write to them, if it is known.

        Raises:
            NoPlace: the tenant's plan has no place left.
        """
        from tenants.accounts import places  # which counts these rows

        user = self.model(email=normal(email), name=name, role=role, language=language)
        user.set_password(password)  # slow on purpose: before anybody waits for us
        with transaction.atomic():
            places.take(invited=invited)
            user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        """Whoever signs in with this address, in whatever spelling."""
        return self.get(email=normal(username or ""))


def normal(email: str) -> str:
    """The one spelling in which an address is stored and compared."""
    return email.strip().lower()


class User(AbstractBaseUser):
    """One person in one tenant; the same person in another tenant is another account."""

    email = models.EmailField(unique=True, error_messages={"unique": _("Somebody already uses this address.")})
    name = models.CharField(max_length=150, blank=True)
    role = models.CharField(max_length=10, choices=Role, default=Role.MEMBER)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=timezone.now)
    language = models.CharField(
        max_length=10, blank=True, db_default="", default=""
    )  # of the pages they last saw; "" if unknown
    steps_hidden = models.BooleanField(db_default=False)  # an admin does not want to see the first steps any more

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        ordering = ["email"]
        constraints = [
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="emails_are_lower_case"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="roles_are_known"),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def username(self) -> str:
        """What to call them; plugins written for other user models read it."""
        return self.name or self.email

    @property
    def is_admin(self) -> bool:
        """Whether they manage plugins and people."""
        return self.role in (Role.OWNER, Role.ADMIN)

    def get_full_name(self) -> str:
        """Their name, or their address."""
        return self.name or self.email

    def _get_session_auth_hash(self, secret: Any = None) -> str:
        """Bound to the tenant: a session is worth nothing in another one, even with an equal id and an equal password hash."""
        salt = f"tenantry.session.{current_tenant().schema}"
        return salted_hmac(salt, self.password, secret=secret, algorithm="sha256").hexdigest()


class Device(models.Model):
    """A session of somebody, with what they need to recognise it. Written when it was used, at most every few minutes."""

    # Without a constraint: older code that serves beside this one deletes people without knowing of this table.
    user = models.ForeignKey(User, models.CASCADE, related_name="devices", db_constraint=False)
    session_key = models.CharField(max_length=40, unique=True)
    started_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)
    user_agent = models.CharField(max_length=300, blank=True)
    address = models.CharField(max_length=45, blank=True)  # from which it was used last

    def __str__(self) -> str:
        return f"of {self.user_id}"


class Invitation(models.Model):
    """Somebody may join with this role, with a link sent to their address. Removed when used."""

    email = models.EmailField(unique=True)
    role = models.CharField(max_length=10, choices=Role, default=Role.MEMBER)
    token_hash = models.CharField(max_length=64, unique=True)  # the token itself is in the mail alone
    invited_by = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.CheckConstraint(condition=models.Q(role__in=Role.values), name="invited_roles_are_known")]

    def __str__(self) -> str:
        return f"{self.email} as {self.role}"

    @property
    def has_expired(self) -> bool:
        """Whether its link does not work any more."""
        return self.expires_at <= timezone.now()


class HandoffToken(models.Model):
    """Carries somebody who has just signed up from the public host to their organisation's, signed in. Removed when used."""

    user = models.ForeignKey(User, models.CASCADE)
    token_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"for {self.user_id}"
