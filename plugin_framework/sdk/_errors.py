"""Errors that plugins raise or meet; a class's docstring is its default message and says what to do next."""


class PluginError(Exception):
    """Something about a plugin went wrong. Catch a narrower error where you can."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())


class NoTenant(PluginError):
    """There is no current tenant here. Enter one with tenant_scope(), or hand the work to code that runs inside a tenant."""


class UnknownHook(PluginError):
    """Nobody declares this hook point. Check its spelling, or that the plugin declaring it is installed."""


class NotAllowed(PluginError):
    """The plugin may not do this here; the message says why and what would help."""


class SecretLost(PluginError):
    """A sealed secret cannot be opened any more. Put the key it was sealed with back into SECRETS_KEYS, or make a new secret."""


class Veto(PluginError):
    """Raised by a handler to stop what is about to happen, where the hook point allows it; the message is shown to the person."""


class DeadLetter(PluginError):
    """Raised by an event handler when trying again cannot help; the delivery is set aside with this message."""


class RetryLater(PluginError):
    """Raised by an event handler to be called again later; `after` is the least wait in seconds, where the other side named one."""

    def __init__(self, message: str = "", *, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after
