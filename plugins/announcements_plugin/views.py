"""The announcements' pages. That somebody is signed in, and that the plugin runs here, is seen to before any of them is called."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from plugin_framework.sdk import PluginAwareView, banner_dismissed
from plugins.announcements_plugin import queries, services
from plugins.announcements_plugin.forms import AnnouncementForm
from plugins.announcements_plugin.models import Announcement

PAGE = 20


class AdminsView(PluginAwareView):
    """A page of those who manage the organisation; its members get 403, as on the host's own pages of that kind."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Let admins in."""
        if not _is_admin(request):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)


class AnnouncementList(PluginAwareView):
    """For admins all announcements; for members those of now, also what they have dismissed, to read it again."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """One page of the list."""
        admin = _is_admin(request)
        found = queries.overview() if admin else queries.current()
        page = Paginator(found, PAGE).get_page(request.GET.get("page"))
        return render(request, f"announcements_plugin/{'list' if admin else 'read'}.html", {"page": page})


class AnnouncementNew(AdminsView):
    """A new announcement."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The empty form."""
        return _form(request, AnnouncementForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Make it."""
        form = AnnouncementForm(request.POST)
        if not form.is_valid():
            return _form(request, form)
        announcement = services.create(form.wanted(), request.user)
        messages.success(request, _("“%(title)s” was saved.") % {"title": announcement.title})
        return redirect("apps:announcements:list")


class AnnouncementEdit(AdminsView):
    """An announcement's form."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The form, filled in."""
        announcement = get_object_or_404(Announcement, pk=pk)
        form = AnnouncementForm(instance=announcement, initial={"revision": announcement.revision})
        return _form(request, form, announcement)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Save it, unless somebody else was faster."""
        announcement = get_object_or_404(Announcement, pk=pk)
        form = AnnouncementForm(request.POST)  # no instance: the page keeps its name while the form has another
        if form.is_valid():
            try:
                with _gone_is_404():
                    seen = form.cleaned_data["revision"]
                    saved = services.update(pk, form.wanted(), request.user, seen_revision=seen)
            except services.Stale as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, _("“%(title)s” was saved.") % {"title": saved.title})
                return redirect("apps:announcements:list")
        return _form(request, form, announcement)


class AnnouncementDelete(AdminsView):
    """The button that deletes."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Delete it."""
        announcement = get_object_or_404(Announcement, pk=pk)
        with _gone_is_404():
            services.delete(pk, request.user)
        messages.success(request, _("“%(title)s” was deleted.") % {"title": announcement.title})
        return redirect("apps:announcements:list")


class AnnouncementDismiss(PluginAwareView):
    """The button of a banner."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Note it. One that ended while the page was open is dismissed like any other; one still to come is not there yet."""
        get_object_or_404(queries.started(), pk=pk)
        with _gone_is_404():
            services.dismiss(pk, request.user)
        return banner_dismissed(request)


@contextmanager
def _gone_is_404() -> Iterator[None]:
    """Somebody else deleted it between our look and our change."""
    try:
        yield
    except Announcement.DoesNotExist as error:
        raise Http404(str(error)) from error


def _is_admin(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_admin", False))


def _form(request: HttpRequest, form: AnnouncementForm, announcement: Announcement | None = None) -> HttpResponse:
    context = {"form": form, "announcement": announcement}
    return render(request, "announcements_plugin/form.html", context, status=422 if form.errors else 200)
