"""The Django app of the people."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Tells the plugins of every sign-in."""

    name = "tenants.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Say how many people there are and what they speak, and connect the signal that Django sends for each sign-in."""
        from django.contrib.auth.signals import user_logged_in, user_logged_out

        from plugin_framework import languages, quotas
        from tenants.accounts import devices, places, preferences
        from tenants.accounts.people import announce_sign_in

        quotas.bind(quotas.Kind.PEOPLE, places.used)
        languages.bind(preferences.organisations_language)
        user_logged_in.connect(preferences.speak_as_at_sign_in, dispatch_uid="tenantry.language")
        user_logged_in.connect(announce_sign_in, dispatch_uid="tenantry.announce_sign_in")
        user_logged_out.connect(devices.forget, dispatch_uid="tenantry.forget_device")
