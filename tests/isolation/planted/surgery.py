"""Changes the running program's code where it stands, so that whoever has imported a function has the changed one."""

from __future__ import annotations

import inspect
import textwrap
from types import FunctionType, ModuleType


def rewrite(function: FunctionType, old: str, new: str) -> None:
    """Put `new` for `old` in the source of `function`, as if somebody had written it so.

    Raises:
        AssertionError: `old` is not there exactly once: the program has changed, and the fault has to follow it.
    """
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(old) == 1, f"{old!r} stands {source.count(old)} times in {function.__qualname__}"
    made: dict[str, FunctionType] = {}
    exec(
        compile(f"from __future__ import annotations\n{source.replace(old, new)}", "planted", "exec"),
        function.__globals__,
        made,
    )
    function.__code__ = made[function.__name__].__code__


def reword(module: ModuleType, name: str, old: str, new: str) -> None:
    """Put `new` for `old`, once, in a module's text, a statement in SQL say.

    Raises:
        AssertionError: `old` is not there exactly once.
    """
    text = getattr(module, name)
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {module.__name__}.{name}"
    setattr(module, name, text.replace(old, new))
