"""The organisations and the hosts at which they are reached (public schema)."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django_tenants.models import DomainMixin, TenantMixin

from plugin_framework import zones
from plugin_framework.tenancy import TenantRef
from tenants.names import SLUG_PATTERN

PLATFORM_SCHEMA = "platform"  # the reserved tenant of the platform's own staff
SCHEMA_PATTERN = rf"^(t_[a-z0-9]{{20}}|{PLATFORM_SCHEMA})$"


class State(models.TextChoices):
    """Where a tenant is in its life. Only an active one is served; each of the others has a page that says what is the matter."""

    PROVISIONING = "provisioning", _("Being set up")  # its address is taken; its schema is not there, or not complete
    ACTIVE = "active", _("Active")
    SUSPENDED = "suspended", _("Suspended")
    DELETING = "deleting", _("Being deleted")  # nothing is gone before `purge_at`; until then it can be restored


class Tenant(TenantMixin):  # type: ignore[misc]  # django-tenants is untyped
    """One organisation. Made by `tenants.provisioning`, which makes its schema too; saving a row makes nothing else."""

    auto_create_schema = False
    auto_drop_schema = False

    slug = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=100)
    state = models.CharField(max_length=20, choices=State, default=State.ACTIVE)
    state_message = models.CharField(max_length=500, blank=True)  # shown on the suspended page
    purge_at = models.DateTimeField(null=True, blank=True)  # of one that is being deleted: when its data goes for good
    state_before = models.CharField(
        max_length=20, blank=True, db_default=""
    )  # of the same: what it is if it is brought back
    timezone = models.CharField(max_length=64, db_default=zones.DEFAULT, default=zones.DEFAULT)
    logo = models.CharField(max_length=200, blank=True, db_default="")  # the name of a file of the tenant; "" for none
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["slug"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(schema_name__regex=SCHEMA_PATTERN), name="schema_names_are_random"
            ),
            models.CheckConstraint(condition=models.Q(slug__regex=SLUG_PATTERN), name="slugs_are_host_labels"),
            models.CheckConstraint(
                condition=models.Q(state=State.DELETING, purge_at__isnull=False)
                | (~models.Q(state=State.DELETING) & models.Q(purge_at__isnull=True)),
                name="only_the_deleted_are_purged",
            ),
        ]

    def __str__(self) -> str:
        return str(self.slug)

    @property
    def is_platform(self) -> bool:
        """Whether this is the platform's own tenant."""
        return bool(self.schema_name == PLATFORM_SCHEMA)

    def ref(self, host: str | None = None) -> TenantRef:
        """The engine's view of this tenant; its primary host is looked up unless given."""
        if host is None:
            primary = self.domains.filter(is_primary=True).first()
            host = primary.domain if primary else ""
        return TenantRef(
            slug=self.slug,
            name=self.name,
            host=host,
            schema=self.schema_name,
            timezone=self.timezone,
            logo=self.logo,
        )


class Domain(DomainMixin):  # type: ignore[misc]  # django-tenants is untyped
    """A host of a tenant, as `tenants.hosts.normalise` gives it."""

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(domain__regex=r"^[a-z0-9.-]+$"), name="domains_are_normalised")
        ]

    def __str__(self) -> str:
        return str(self.domain)


class RetiredHost(models.Model):
    """A host of a tenant that was purged: nobody else gets it for a while, for links and mails still lead there."""

    host = models.CharField(max_length=253, primary_key=True)
    schema_name = models.CharField(max_length=63)  # whose it was: restored from an archive, that one may have it back
    free_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return str(self.host)


class Blueprint(models.Model):
    """What a new tenant's schema is made of: one row, written by `migrate` alone (see `tenants.blueprint`)."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    code = models.CharField(max_length=64)  # fingerprint of the migrations it was made by
    digest = models.CharField(max_length=64)  # of the statements: what is made by these ones names it
    statements = models.TextField(blank=True)  # "" if the schema cannot be written down: then it is migrated
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="there_is_one_blueprint")]

    def __str__(self) -> str:
        return self.digest


class Spare(models.Model):
    """A schema that is ready and nobody's: row and schema are made, given away and dropped in one transaction each."""

    schema_name = models.CharField(max_length=63, primary_key=True)
    blueprint = models.CharField(
        max_length=64
    )  # the digest of what it was made by; one of another blueprint is given to nobody
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(schema_name__regex=r"^t_[a-z0-9]{20}$"), name="spares_are_random")
        ]

    def __str__(self) -> str:
        return self.schema_name


class SignUp(models.Model):
    """What is still needed to finish a tenant that is being set up: who will own it, and how the tries went. Gone when it is active."""

    tenant = models.OneToOneField(Tenant, models.CASCADE, primary_key=True, related_name="sign_up")
    actor = models.CharField(max_length=200)
    email = models.EmailField()
    name = models.CharField(max_length=150, blank=True)
    password_hash = models.CharField(max_length=128)  # as it will stand in the owner's account
    token_hash = models.CharField(max_length=64)  # of the token with which the owner arrives
    asked_at = models.DateTimeField(db_default=Now())
    tries = models.IntegerField(db_default=0)
    next_try_at = models.DateTimeField(db_default=Now())
    error = models.CharField(max_length=500, blank=True, db_default="")  # of the latest try
    given_up_at = models.DateTimeField(null=True)  # until somebody has it tried again, or removes it

    class Meta:
        indexes = [
            models.Index(fields=["next_try_at"], name="sign_up_due", condition=models.Q(given_up_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"{self.tenant_id}: {self.tries} tries"
