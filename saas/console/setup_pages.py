"""The console's pages about organisations that are still being set up: how the tries went, once more, or not at all."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from plugin_framework.tenancy import public_scope
from saas.site.access import actor_of, admins_only
from tenants import operations, waiting
from tenants.models import SignUp, Tenant


def detail(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """What is known of one that has no schema yet; the page of all others is `tenant_pages.detail`."""
    with public_scope():
        hosts = [domain.domain for domain in tenant.domains.all()]
        sign_up = SignUp.objects.filter(tenant=tenant).first()
    context = {"organisation": tenant, "hosts": hosts, "sign_up": sign_up, "most_tries": waiting.MOST_TRIES}
    return render(request, "platform/tenant_setup.html", context)


@require_POST
@admins_only
def retry(request: HttpRequest, slug: str) -> HttpResponse:
    """Have an organisation that could not be set up tried again."""
    try:
        waiting.retry(slug, actor_of(request))
    except operations.NoSuchTenant as error:
        raise Http404(str(error)) from error
    except operations.NotPossible as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("It is tried again as soon as a worker is free."))
    return redirect("platform:tenant", slug)


@require_POST
@admins_only
def remove(request: HttpRequest, slug: str) -> HttpResponse:
    """Give up an organisation that was never set up; its address is free again."""
    try:
        waiting.remove(slug, actor_of(request))
    except operations.NoSuchTenant as error:
        raise Http404(str(error)) from error
    except operations.NotPossible as error:
        messages.error(request, str(error))
        return redirect("platform:tenant", slug)
    messages.success(request, _("%(slug)s is removed, and its address is free again.") % {"slug": slug})
    return redirect("platform:tenants")
