"""The tenants' addresses, and the ledger's."""

from django.urls import path

from acme_ledger.views import ledger
from saas.urls_tenant import handler400, handler403, handler404, handler500, urlpatterns

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]
urlpatterns = [*urlpatterns, path("ledger/", ledger)]
