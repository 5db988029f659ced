"""Where code of a plugin is called: what would end the process is a failure of the plugin like any other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class FromOutside(BaseException):
    """Raised into a plugin's code by the platform, to stop it: no failure of the plugin's own."""


class PluginExit(Exception):
    """A plugin's code raised what is no Exception, sys.exit() say. Where it is called, only an Exception may come out."""


def failure(error: BaseException) -> BaseException:
    """`error` as an Exception of the same name and place; itself where it is one, or comes from outside of the plugin.

    So do Ctrl-C, `FromOutside`, and the end of a generator that nobody reads any more.
    """
    if isinstance(error, (Exception, KeyboardInterrupt, GeneratorExit, FromOutside)):
        return error
    kind: type[PluginExit] = type(type(error).__name__, (PluginExit,), {})
    return kind(*error.args).with_traceback(error.__traceback__)


@contextmanager
def plugins_code() -> Iterator[None]:
    """Let nothing but an Exception out of the block, which calls code of a plugin."""
    try:
        yield
    except BaseException as error:
        said = failure(error)
        if said is error:
            raise
        raise said from error
