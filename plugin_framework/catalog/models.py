"""The superadmin's decisions about each plugin, and the revisions by which every process notices a change."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Availability(models.TextChoices):
    """To whom a plugin is offered."""

    EVERYONE = "everyone", _("Offered to everyone")
    LISTED = "listed", _("Offered to listed organisations")
    HIDDEN = "hidden", _("Hidden: those who have it keep it")
    DEPRECATED = "deprecated", _("Deprecated: still runs")
    WITHDRAWN = "withdrawn", _("Withdrawn: runs for nobody")


class CatalogEntry(models.Model):
    """One plugin's place in the catalog; a plugin without an entry is offered to everyone."""

    plugin = models.CharField(max_length=100, unique=True)
    availability = models.CharField(max_length=20, choices=Availability, default=Availability.EVERYONE)
    message = models.CharField(max_length=500, blank=True)  # shown to tenants while withdrawn or deprecated
    instead = models.CharField(
        max_length=100, blank=True, default="", db_default=""
    )  # the plugin to use, while it is deprecated
    on_by_default = models.BooleanField(default=False, db_default=False)  # new tenants begin with it; see `default_on`
    required = models.BooleanField(default=False, db_default=False)  # a tenant that has it cannot disable it
    settings = models.JSONField(default=dict)  # the platform's own values, under every tenant's; secrets are sealed
    locked = models.JSONField(default=list)  # dotted paths of those that tenants may not change

    class Meta:
        verbose_name_plural = "catalog entries"

    def __str__(self) -> str:
        return f"{self.plugin}: {self.availability}"


class CatalogGrant(models.Model):
    """A tenant (by schema) to which a listed plugin is offered."""

    plugin = models.CharField(max_length=100)
    tenant_schema = models.CharField(max_length=63)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plugin", "tenant_schema"], name="one_grant_per_plugin_and_tenant")
        ]

    def __str__(self) -> str:
        return f"{self.plugin} for {self.tenant_schema}"


class Plan(models.Model):
    """What organisations pay for: the plugins they may run, and how much of the platform they may use; None is no limit.

    A tenant without a plan may run all that is offered to it, without limits.
    """

    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=100)
    plugins = models.JSONField(default=list)  # names
    people = models.PositiveBigIntegerField(null=True)  # accounts that may sign in, and open invitations
    deliveries = models.PositiveBigIntegerField(null=True)  # begun in a day, UTC
    storage = models.PositiveBigIntegerField(null=True)  # bytes of files and tables

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class TenantPlan(models.Model):
    """The plan of a tenant (by schema)."""

    tenant_schema = models.CharField(max_length=63, unique=True)
    plan = models.ForeignKey(Plan, models.PROTECT)

    def __str__(self) -> str:
        return f"{self.tenant_schema}: {self.plan_id}"


class TenantRevision(models.Model):
    """The number of a tenant's latest plugin change. From a sequence: ``revision + 1`` would be handed out again after a rollback."""

    tenant_schema = models.CharField(max_length=63, primary_key=True)
    revision = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.tenant_schema}@{self.revision}"


class CatalogRevision(models.Model):
    """The number of the catalog's latest change; a single row."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    revision = models.BigIntegerField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_catalog_revision")]

    def __str__(self) -> str:
        return f"catalog@{self.revision}"


class ErrorSeen(models.Model):
    """When an error was last reported to a tenant, so that a storm of the same one makes one event a minute."""

    tenant_schema = models.CharField(max_length=63)
    fingerprint = models.CharField(max_length=16)
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant_schema", "fingerprint"], name="one_sight_per_error")]

    def __str__(self) -> str:
        return f"{self.fingerprint} in {self.tenant_schema}"


class FinishedMigration(models.Model):
    """A migration that older code could not live with, and that may be applied everywhere: no process with that code is left."""

    pk = models.CompositePrimaryKey("app", "name")
    app = models.CharField(max_length=255)
    name = models.CharField(max_length=255)

    def __str__(self) -> str:
        return f"{self.app}.{self.name}"
