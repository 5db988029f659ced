"""The hook points that the platform itself declares; plugins add theirs with `declares`."""

from datetime import UTC, datetime

from plugin_framework.sdk import ErrorReport, HookPoint, SampleFor, action, event, filter_value


def _person(to: SampleFor) -> tuple[object]:
    """Who asks is the only person whom a sample may be about: a plugin may write to them."""
    return (to.user,)


def _error(to: SampleFor) -> tuple[object]:
    report = ErrorReport(
        message="This is a sample: nothing is broken.",
        kind="SampleError",
        where="sample:sample:1",
        path="/sample/",
        fingerprint="sample",
        at=datetime.now(UTC).isoformat(),
    )
    return (report,)


def _plugin(to: SampleFor) -> tuple[object]:
    return ("sample_plugin",)


def _slug(to: SampleFor) -> tuple[object]:
    return (to.tenant.slug,)


CORE: tuple[HookPoint, ...] = (
    action(
        "user_registering",
        "email",
        doc="Somebody is about to register in this organisation.",
        when="After the form was found valid, before the account is made; with an invitation or without.",
        unless="Not for the owner who signs the organisation up, nor for accounts made on the command line.",
        may_veto=True,
    ),
    event(
        "user_registered",
        "user",
        doc="An account was made in this organisation.",
        when="With the transaction that makes the account; the owner's own included.",
        unless="Not when an existing account confirms its e-mail or signs in.",
        sample=_person,
    ),
    event("user_logged_in", "user", doc="Somebody signed in.", when="After each successful sign-in.", sample=_person),
    event(
        "system_error",
        "error",
        doc="A request ended in an unhandled error.",
        when="After the rollback, in a transaction of its own; once per fingerprint and minute.",
        unless="Not for its own failing deliveries. Errors of the public host go to the platform's tenant.",
        sample=_error,
    ),
    event(
        "tenant_provisioned",
        "slug",
        doc="This organisation was made.",
        when="Inside its own schema, once.",
        sample=_slug,
    ),
    event(
        "plugin_enabled",
        "plugin",
        doc="A plugin was enabled.",
        when="In the enabling transaction.",
        unless="Not for those with which a new organisation begins; `tenant_provisioned` is.",
        sample=_plugin,
    ),
    event(
        "plugin_disabled", "plugin", doc="A plugin was disabled.", when="In the disabling transaction.", sample=_plugin
    ),
    event(
        "plugin_configured",
        "plugin",
        doc="A plugin’s settings were saved.",
        when="In the saving transaction.",
        sample=_plugin,
    ),
    action(
        "view_pre_dispatch",
        "view",
        "request",
        doc="A page is about to be made.",
        when="Before a plugin-aware view runs.",
        variadic=True,
        unless="Not on the public host.",
    ),
    action(
        "view_post_dispatch",
        "view",
        "request",
        "response",
        doc="A page was made.",
        when="After a plugin-aware view has answered.",
        variadic=True,
        unless="Not when the view raised, and not on the public host.",
    ),
    action(
        "view_error",
        "view",
        "request",
        "error",
        doc="A page ended in an error.",
        when="After a plugin-aware view has raised.",
        variadic=True,
        unless="Not on the public host. What a handler raises never hides the view's own error.",
    ),
    filter_value(
        "email_message", "message", doc="A mail of a plugin is about to be sent.", when="In the worker, before sending."
    ),
)
