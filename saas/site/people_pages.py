"""Who belongs to the organisation: invite, change a role, remove.

Template: `settings/people.html` (`people`: users; `invitations`; `form`: an InviteForm; `roles`: (value, label) pairs one may give;
`quotas`: what is near the plan's limit).
"""

from __future__ import annotations

import logging
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.mail import send_mail
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from plugin_framework import languages
from plugin_framework.quotas import Kind
from plugin_framework.tenancy import current_tenant
from saas.links import url_of
from saas.site import quota_info
from saas.site.access import actor_of, admins_only, me
from saas.throttle import allow
from tenants.accounts import people
from tenants.accounts.forms import email_field
from tenants.accounts.mail import organisation, sender
from tenants.accounts.models import Invitation, Role, User
from tenants.accounts.places import NoPlace

log = logging.getLogger(__name__)
INVITATIONS_PER_HOUR = (
    100  # of one organisation: anybody can sign one up, and it must not become a way to send mail to strangers
)
HOUR = 3600
MANY = gettext_lazy("Your organisation has sent many invitations in the last hour. Try again in an hour.")


class InviteForm(forms.Form):
    """Whom to invite, and as what."""

    email = email_field()
    role = forms.ChoiceField(label=gettext_lazy("Role"), initial=Role.MEMBER)

    def __init__(self, *args: object, inviter: User, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # handed through as they are
        self.fields["role"].choices = _roles(inviter)  # type: ignore[attr-defined]  # it is a ChoiceField


@require_safe
@admins_only
def index(request: HttpRequest) -> HttpResponse:
    """Everybody, and everybody who was invited."""
    return _page(request, InviteForm(inviter=me(request)))


@require_POST
@admins_only
def invite(request: HttpRequest) -> HttpResponse:
    """Invite somebody by mail."""
    form = InviteForm(request.POST, inviter=me(request))
    if not form.is_valid():
        return _page(request, form, status=400)
    if not allow("invite", current_tenant().schema, limit=INVITATIONS_PER_HOUR, seconds=HOUR):
        form.add_error(None, MANY)
        return _page(request, form, status=429)
    email = form.cleaned_data["email"]
    try:
        token = people.invite(email, form.cleaned_data["role"], actor_of(request), by=me(request))
    except (people.EmailTaken, people.NotPossible) as error:
        form.add_error("email", str(error))
        return _page(request, form, status=400)
    except NoPlace as full:
        form.add_error(None, str(full))
        return _page(request, form, status=409)
    _tell(request, email, token)
    return redirect("settings:people")


@require_POST
@admins_only
def revoke_invitation(request: HttpRequest, number: int) -> HttpResponse:
    """Take an invitation back."""
    people.revoke_invitation(number, actor_of(request))
    messages.success(request, _("The invitation is taken back; its link does not work any more."))
    return redirect("settings:people")


@require_POST
@admins_only
def resend_invitation(request: HttpRequest, number: int) -> HttpResponse:
    """Mail an invitation again, with a new link that works for seven days."""
    if not allow("invite", current_tenant().schema, limit=INVITATIONS_PER_HOUR, seconds=HOUR):
        messages.error(request, MANY)
        return redirect("settings:people")
    try:
        email, token = people.resend_invitation(number, actor_of(request), by=me(request))
    except (people.EmailTaken, people.NotPossible, NoPlace) as error:
        messages.error(request, str(error))
    else:
        _tell(request, email, token)
    return redirect("settings:people")


@require_POST
@admins_only
def change_role(request: HttpRequest, number: int) -> HttpResponse:
    """Give somebody another role."""
    try:
        user = people.change_role(number, request.POST.get("role", ""), actor_of(request), by=me(request))
    except people.NotPossible as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("%(who)s is now: %(role)s.") % {"who": user.email, "role": user.get_role_display()})
    return redirect("settings:people")


@require_POST
@admins_only
def remove_person(request: HttpRequest, number: int) -> HttpResponse:
    """Remove somebody's account."""
    try:
        email = people.remove_person(number, actor_of(request), by=me(request))
    except people.NotPossible as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("%(who)s is removed and signed out everywhere.") % {"who": email})
    return redirect("settings:people")


def _page(request: HttpRequest, form: InviteForm, status: int = 200) -> HttpResponse:
    found = {
        "people": list(User.objects.all()),
        "invitations": list(Invitation.objects.all()),
        "form": form,
        "roles": _roles(me(request)),
        "quotas": quota_info.pressing(Kind.PEOPLE),
    }
    return render(request, "settings/people.html", found, status=status)


def _roles(giver: User) -> list[tuple[str, str]]:
    """The roles that somebody may give: only owners make owners."""
    return [(value, str(label)) for value, label in Role.choices if value != Role.OWNER or giver.role == Role.OWNER]


def _tell(request: HttpRequest, email: str, token: str) -> None:
    """Mail the link. If that fails, the admin gets it instead: an invitation nobody has heard of helps nobody."""
    tenant = current_tenant()
    link = url_of(tenant.host, f"{reverse('tenant:register')}?{urlencode({'invitation': token})}")
    with languages.spoken_to():  # nobody knows theirs yet, so it is the organisation's
        subject = _("Join %(name)s") % {"name": organisation()}
        text = render_to_string("accounts/invitation.txt", {"tenant": tenant, "link": link, "by": me(request)})
    try:
        send_mail(subject, text, sender(), [email])
    except OSError:  # smtplib's errors are OSErrors too
        log.exception("The invitation could not be mailed")
        said = _("The mail could not be sent. Hand this link to %(who)s yourself: %(link)s")
        messages.warning(request, said % {"who": email, "link": link})
    else:
        messages.success(request, _("An invitation is on its way to %(who)s.") % {"who": email})
