"""Keeps the Django app of a broken plugin from taking the server down: it is left out, and the loader is told why."""

from __future__ import annotations

faults: dict[str, str] = {}  # by the package of a plugin: what is wrong with its app


def fault_of(module: str) -> str:
    """What is wrong with the app that `module` is in; empty if nothing is, or if it is in none."""
    return next((why for name, why in faults.items() if module == name or module.startswith(f"{name}.")), "")


def said(error: BaseException) -> str:
    """An exception in one line that names its kind; many texts are nothing but a key or a name."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
