"""What somebody has chosen for their own eyes alone. Nobody else is touched by it, so the audit log does not tell of it."""

from __future__ import annotations

from tenants.accounts.models import User


def hide_steps(user: User, *, hidden: bool) -> None:
    """Show `user` the first steps of a new organisation no more, or again."""
    User.objects.filter(pk=user.pk).update(steps_hidden=hidden)
