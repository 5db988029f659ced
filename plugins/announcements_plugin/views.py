"""The announcements' pages. That somebody is signed in, and that the plugin runs here, is seen to before any of them is called."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme

from plugin_framework.sdk import PluginAwareView
from plugins.announcements_plugin import queries, services
from plugins.announcements_plugin.forms import AnnouncementForm
from plugins.announcements_plugin.models import Announcement

PAGE = 20


class AdminView(PluginAwareView):
    """A page for those who may announce something."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Refuse everybody else."""
        if not _may_write(request):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)


class AnnouncementList(PluginAwareView):
    """What is announced today; for admins, all that ever was."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """One page of it."""
        may_write = _may_write(request)
        page = Paginator(queries.everything() if may_write else queries.current(), PAGE).get_page(
            request.GET.get("page")
        )
        context = {"page": page, "may_write": may_write, "current": set(queries.current().values_list("pk", flat=True))}
        return render(request, "announcements_plugin/list.html", context)


class AnnouncementNew(AdminView):
    """A new announcement."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The empty form."""
        return _form(request, AnnouncementForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Announce it."""
        return _save(request, AnnouncementForm(request.POST))


class AnnouncementEdit(AdminView):
    """One announcement's form."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The form, filled in."""
        return _form(request, AnnouncementForm(instance=get_object_or_404(Announcement, pk=pk)))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Save it."""
        return _save(request, AnnouncementForm(request.POST, instance=get_object_or_404(Announcement, pk=pk)))


class AnnouncementDelete(AdminView):
    """The button that deletes."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Delete it."""
        announcement = get_object_or_404(Announcement, pk=pk)
        services.delete(pk, request.user)
        messages.success(request, f"“{announcement}” is deleted.")
        return redirect("apps:announcements:list")


class AnnouncementDismiss(PluginAwareView):
    """The button on a banner that puts it away."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Put it away for this person, and go back to where they were."""
        services.dismiss(get_object_or_404(Announcement, pk=pk), request.user)
        back = request.POST.get("next", "")
        safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
        return redirect(back if safe else "/")


def _may_write(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_admin", False))


def _save(request: HttpRequest, form: AnnouncementForm) -> HttpResponse:
    if not form.is_valid():
        return _form(request, form)
    announcement = services.publish(form.save(commit=False), request.user)
    messages.success(request, f"“{announcement}” is saved.")
    return redirect("apps:announcements:list")


def _form(request: HttpRequest, form: AnnouncementForm) -> HttpResponse:
    context = {"form": form, "announcement": form.instance if form.instance.pk else None}
    return render(request, "announcements_plugin/form.html", context, status=422 if form.errors else 200)
