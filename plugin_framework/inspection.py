"""Turns a plugin's class into a `PluginSpec`, or says in one sentence what is wrong with it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from django.apps import apps
from django.urls import URLPattern, URLResolver
from django.urls.resolvers import RegexPattern
from django.utils.functional import Promise
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from plugin_framework import PLATFORM_VERSION, rejections
from plugin_framework.app_guard import said
from plugin_framework.config import FREE_FORM, ConfigSchema, SchemaError, compile_schema
from plugin_framework.delivery import times
from plugin_framework.registry import Handler, Job, PluginSpec, Release
from plugin_framework.sdk import ConfigurablePlugin, HookPoint, PluginInterface
from plugin_framework.sdk._calling import plugins_code

_NAME = re.compile(r"[a-z][a-z0-9_]{0,48}")
_TEXTS = ("title", "category", "icon", "details", "keeps_of_people")
_LINKS = {"docs_url": ("http", "https"), "support_url": ("http", "https", "mailto")}  # a page makes links of them


class Rejected(ValueError):
    """A plugin that cannot be loaded; the text names the plugin, the fault and what to change."""


def inspect_plugin(cls: type[PluginInterface], defaults: Mapping[str, Any]) -> PluginSpec:
    """Everything that can be known of a plugin without a tenant.

    Raises:
        Rejected: the class is unsound.
    """
    if not (isinstance(cls, type) and issubclass(cls, PluginInterface)):
        raise Rejected(rejections.NO_PLUGIN(plugin=repr(cls)).english)
    try:
        with plugins_code():
            sample = cls()
    except Exception as error:  # a plugin's constructor may raise anything
        raise Rejected(rejections.WANTS_ARGUMENTS(plugin=cls.__name__, error=said(error)).english) from error
    name = _name(sample)
    if not isinstance(cls.config_version, int) or cls.config_version < 1:
        raise Rejected(rejections.CONFIG_VERSION(plugin=name, value=repr(cls.config_version)).english)
    _check_declarations(cls, name)
    return PluginSpec(
        cls=cls,
        name=name,
        version=_version(sample, name),
        description=str(sample.description),
        requires=_requirements(sample, name),
        handlers=tuple(_handlers(cls, name)),
        schema=_schema(sample, name),
        defaults=dict(defaults),
        app_label=_app_label(cls),
        urls=_urls(cls, name),
        jobs=tuple(_jobs(cls, name)),
        changelog=tuple(_changelog(cls.changelog, name)),
    )


def check_signatures(spec: PluginSpec, points: Mapping[str, HookPoint]) -> None:
    """Refuse a handler that could not take its point's arguments.

    Raises:
        Rejected: naming the plugin, the hook and the arguments.
    """
    for handler in spec.handlers:
        point = points.get(handler.hook)
        if point is None:
            continue
        signature = inspect.signature(getattr(spec.cls, handler.method))
        try:
            signature.bind(None, *point.args)
        except TypeError as error:
            whose, args = f"{spec.name}.{handler.method}{signature}", ", ".join(point.args)
            why = rejections.SIGNATURE(handler=whose, hook=repr(point.name), args=args, error=error)
            raise Rejected(why.english) from error


def _name(sample: PluginInterface) -> str:
    name = getattr(sample, "name", None)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise Rejected(rejections.NAME(plugin=type(sample).__name__, value=repr(name)).english)
    return name


def _version(sample: PluginInterface, name: str) -> str:
    try:
        version = str(Version(str(sample.version)))
        wanted = SpecifierSet(sample.requires_platform)
    except (InvalidVersion, InvalidSpecifier, AttributeError) as error:
        raise Rejected(rejections.VERSION(plugin=name, error=error).english) from error
    if not wanted.contains(PLATFORM_VERSION, prereleases=True):
        raise Rejected(rejections.PLATFORM(plugin=name, version=version, wanted=wanted, here=PLATFORM_VERSION).english)
    return version


def _check_declarations(cls: type[PluginInterface], name: str) -> None:
    """What all plugins are sorted, joined and listed by must be of the right kind, or the others' pages would fail as well."""
    if not isinstance(cls.priority, int):
        raise Rejected(rejections.PRIORITY(plugin=name, value=repr(cls.priority)).english)
    points = cls.declares
    if not isinstance(points, Sequence) or not all(isinstance(point, HookPoint) for point in points):
        raise Rejected(rejections.DECLARES(plugin=name, value=repr(points)).english)
    for attribute in _TEXTS:
        text = getattr(cls, attribute)
        if not isinstance(text, str | Promise):
            raise Rejected(rejections.TEXT(plugin=name, attribute=attribute, value=repr(text)).english)
    for attribute in ("reads", "stores", "sends_to"):
        words = getattr(cls, attribute)
        if isinstance(words, str) or not all(isinstance(each, str) for each in words):
            raise Rejected(rejections.TEXTS(plugin=name, attribute=attribute, value=repr(words)).english)
    for attribute, schemes in _LINKS.items():
        address = str(getattr(cls, attribute))
        if address and urlsplit(address).scheme not in schemes:
            begin = ", ".join(f"{each}:" for each in schemes)
            raise Rejected(
                rejections.LINK(plugin=name, attribute=attribute, value=repr(address), schemes=begin).english
            )


def _changelog(entries: Any, name: str) -> Iterator[Release]:
    """What is new in each version, in the author's order."""
    if isinstance(entries, str):
        if entries.strip():
            yield Release("", None, entries.strip())
        return
    for entry in entries:
        try:
            version, on, text = entry
            yield Release(str(Version(version)), date.fromisoformat(on), str(text).strip())
        except (TypeError, ValueError) as error:  # not three, not texts, no version, no date
            raise Rejected(rejections.CHANGELOG(plugin=name, value=repr(entry)).english) from error


def _requirements(sample: PluginInterface, name: str) -> tuple[Requirement, ...]:
    if isinstance(sample.dependencies, str):
        raise Rejected(rejections.DEPENDENCIES(plugin=name, value=repr(sample.dependencies)).english)
    return tuple(_requirement(text, name) for text in sample.dependencies)


def _requirement(text: str, name: str) -> Requirement:
    try:
        return Requirement(text)
    except InvalidRequirement as error:
        raise Rejected(rejections.DEPENDENCY(plugin=name, value=repr(text), error=error).english) from error


def _handlers(cls: type[PluginInterface], name: str) -> list[Handler]:
    found = []
    for method, func in inspect.getmembers(cls, inspect.isfunction):
        hook = getattr(func, "_hook_name", None)
        if hook is not None:
            _check_callable(cls, name, method)
            kinds = {parameter.kind for parameter in inspect.signature(func).parameters.values()}
            found.append(Handler(str(hook), method, inspect.Parameter.VAR_POSITIONAL in kinds))
    return found


def _check_callable(cls: type[PluginInterface], name: str, method: str) -> None:
    """What is called must do its work when it is called, and must not be something that the platform calls for another reason."""
    if inspect.iscoroutinefunction(getattr(cls, method)) or inspect.isgeneratorfunction(getattr(cls, method)):
        raise Rejected(rejections.DOES_NOTHING(handler=f"{name}.{method}").english)
    if hasattr(ConfigurablePlugin, method):
        raise Rejected(rejections.TAKEN_NAME(handler=f"{name}.{method}").english)


def _jobs(cls: type[PluginInterface], name: str) -> Iterator[Job]:
    for method, func in inspect.getmembers(cls, inspect.isfunction):
        expression = getattr(func, "_schedule", None)
        if expression is None:
            continue
        _check_callable(cls, name, method)
        try:
            times.check(expression)
            inspect.signature(func).bind(None)
        except times.BadSchedule as error:
            raise Rejected(rejections.NEVER_DUE(job=f"{name}.{method}", error=error).english) from error
        except TypeError as error:
            raise Rejected(rejections.JOB_ARGUMENTS(job=f"{name}.{method}", error=error).english) from error
        yield Job(method, expression)


def _schema(sample: PluginInterface, name: str) -> ConfigSchema:
    if not isinstance(sample, ConfigurablePlugin):
        return FREE_FORM
    try:
        with plugins_code():
            return compile_schema(sample.get_config_schema())
    except Exception as error:  # SchemaError, or whatever the plugin's own code raises
        why = str(error) if isinstance(error, SchemaError) else f"{said(error)}."
        raise Rejected(rejections.SCHEMA(plugin=name, why=why).english) from error


def _app_label(cls: type[PluginInterface]) -> str | None:
    config = apps.get_containing_app_config(cls.__module__)
    return config.label if config is not None and config.models_module is not None else None


def _urls(cls: type[PluginInterface], name: str) -> tuple[URLPattern | URLResolver, ...]:
    """The plugin's pages, tried as a whole: what fails here would else fail in every request of every tenant."""
    try:
        with plugins_code():
            found = tuple(import_module(cls.urls).urlpatterns if isinstance(cls.urls, str) else cls.urls)
            stranger = next((each for each in found if not isinstance(each, URLPattern | URLResolver)), None)
            if stranger is not None:
                raise TypeError(f"{stranger!r} is not a path(…)")
            URLResolver(RegexPattern(""), found).reverse_dict  # noqa: B018  # compiles all patterns
    except Exception as error:  # a module of views may raise anything
        raise Rejected(rejections.PAGES(plugin=name, value=repr(cls.urls), error=said(error)).english) from error
    return found
