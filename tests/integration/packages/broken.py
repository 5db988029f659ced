"""Packages with one fault each, and what has to be said of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

_PYPROJECT = """\
[build-system]
requires = ["flit_core>=4.2,<5"]
build-backend = "flit_core.buildapi"

[project]
name = "{distribution}"
version = "1.0.0"
description = "A plugin with a fault"

[project.entry-points."tenantry.plugins"]
{name} = "{module}"

[tool.flit.module]
name = "{package}"
"""
_PLUGIN = """\
from plugin_framework.sdk import ConfigurablePlugin, cron, daily, event, hook


class Plugin(ConfigurablePlugin):
    name, version = "{name}", "1.0.0"
{body}

    def initialize(self, config):
        pass

    def cleanup(self):
        pass
"""


@dataclass(frozen=True, slots=True)
class Package:
    """One package.

    Attributes:
        name: of its plugin. `said`: a pattern that the sentence about it fits; empty for a plugin that is loaded.
        body: what the plugin's class has besides its name. `files`: those that are written in place of, or beside, the usual ones.
        known_as: under what name it is in quarantine, if not under its own.
        distribution: the package's name, where two packages have a plugin of one name.
    """

    name: str
    said: str = ""
    body: str = "    pass"
    files: dict[str, str] = field(default_factory=dict)
    known_as: str = ""
    distribution: str = ""
    attribute: str = "Plugin"

    @property
    def package(self) -> str:
        """The name of its folder of modules."""
        return "broken_" + (self.distribution or self.name).replace("-", "_")

    @property
    def key(self) -> str:
        """Its name in quarantine."""
        return self.known_as or self.name

    def fits(self, sentence: str) -> bool:
        """Whether `sentence` names the fault."""
        return re.search(self.said, sentence) is not None

    def write(self, folder: Path) -> Path:
        """Write it below `folder`; where it is."""
        root = folder / self.package
        pyproject = _PYPROJECT.format(
            distribution=self.distribution or f"broken-{self.name.replace('_', '-')}",
            package=self.package,
            name=self.name,
            module=f"{self.package}.plugin:{self.attribute}",
        )
        files = {
            "__init__.py": '"""A plugin with a fault."""\n',
            "plugin.py": _PLUGIN.format(name=self.name, body=self.body),
            **self.files,
        }
        for name, text in {"pyproject.toml": pyproject, **{f"{self.package}/{k}": v for k, v in files.items()}}.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        return root


_SCHEMA = '    def get_config_schema(self):\n        return {"type": "object", "properties": {"x": {"type": "colour"}}}'
_APP = "from django.apps import AppConfig\n\n\nclass Config(AppConfig):\n    name = '{package}'\n    {line}\n"
_MIGRATION = (
    "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n    {line}\n    operations = []\n"
)

_MODEL = """\
from django.conf import settings
from django.db import models


class Note(models.Model):
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
"""

FAULTY = (
    Package("absent_import", r"absent_import cannot be loaded .*No module named 'a_module_that_is_not_there'",
            files={"plugin.py": "import a_module_that_is_not_there\n"}),
    Package("raising_package", r"broken_raising_package cannot be imported: RuntimeError: not today",
            files={"__init__.py": "raise RuntimeError('not today')\n"}),
    Package("unreadable", r"SyntaxError", files={"plugin.py": "class Plugin(:\n"}),
    Package("leaving", r"leaving cannot be loaded .*SystemExit: 3", files={"plugin.py": "raise SystemExit(3)\n"}),
    Package("misnamed_class", r"no attribute 'Nothing'", attribute="Nothing"),
    Package("no_plugin", r"is not a plugin: derive it from PluginInterface", files={"plugin.py": "class Plugin:\n    pass\n"}),
    Package("other_name", r"calls itself 'another', but is listed as 'other_name'", body='    name = "another"'),
    Package("too_new", r"too_new 1\.0\.0 needs Tenantry >=99, and this is", body='    requires_platform = ">=99"'),
    Package("hen", r"part of a dependency cycle: hen → egg → hen", body='    dependencies = ("egg",)'),
    Package("egg", r"part of a dependency cycle: egg → hen → egg", body='    dependencies = ("hen",)'),
    Package("orders", r"PLUGINS setting has a plugin called 'orders' already; .* of the package false-orders",
            distribution="false-orders", known_as="orders (false-orders)"),
    Package("twin", r"2 packages have a plugin called 'twin': left-twin \(.*\), right-twin", distribution="left-twin"),
    Package("twin", r"2 packages have a plugin called 'twin'", distribution="right-twin"),
    Package("taken_point", r"declares 'user_registered', which is declared already, by the platform",
            body='    declares = (event("user_registered", "who", doc="Taken."),)'),
    Package("no_points", r"no_points declares \('alarm',\); use a list of action", body='    declares = ("alarm",)'),
    Package("too_few", r"too_few\.seen\(self\).* cannot handle 'user_registered', which passes \(user\)",
            body='    @hook("user_registered")\n    def seen(self):\n        pass'),
    Package("never_due", r"The job never_due\.tick is never due: '61 \* \* \* \*' is no schedule",
            body='    @cron("61 * * * *")\n    def tick(self):\n        pass'),
    Package("greedy_job", r"The job greedy_job\.tick cannot be called without arguments: .*'what'",
            body='    @cron("* * * * *")\n    def tick(self, what):\n        pass'),
    Package("async_handler", r"async_handler\.seen would do nothing when it is called: make it a plain `def`",
            body='    @hook("user_registered")\n    async def seen(self, user):\n        pass'),
    Package("lazy_job", r"lazy_job\.tick would do nothing when it is called: make it a plain `def`",
            body='    @cron("* * * * *")\n    def tick(self):\n        yield'),
    Package("borrowed_name", r"borrowed_name\.nav_items has the name of something the platform calls itself",
            body='    @cron("* * * * *")\n    def nav_items(self):\n        pass'),
    Package("bad_hour", r"bad_hour cannot be loaded .*'25:00' is no time of day",
            body='    @daily(at="25:00")\n    def tick(self):\n        pass'),
    Package("bad_schema", r"The settings schema of bad_schema is not usable", body=_SCHEMA),
    Package("raising_schema", r"schema of raising_schema is not usable: KeyError: 'colour'",
            body='    def get_config_schema(self):\n        return {}["colour"]'),
    Package("bad_pages", r"The pages of bad_pages cannot be loaded .*'news/'", body='    urls = ["news/"]'),
    Package("bad_pattern", r"The pages of bad_pattern cannot be loaded .*not a valid regular expression",
            body="    from django.urls import re_path\n    urls = [re_path('(', print)]"),
    Package("bad_models", r"broken_bad_models\.models cannot be imported: NameError: name 'modells' is not defined",
            files={"models.py": "from django.db import models\n\n\nclass Half(models.Model):\n    pass\n\n\nmodells.Field()\n"}),
    Package("taken_label", r"app has the label 'accounts', as tenants\.accounts has; set another `label`",
            files={"apps.py": _APP.format(package="broken_taken_label", line="label = 'accounts'")}),
    Package("bad_app", r"broken_bad_app cannot be imported: ZeroDivisionError", files={"apps.py": "1 / 0\n"}),
    Package("bad_ready", r"bad_ready cannot be started\. Config\.ready\(\) of broken_bad_ready failed: ZeroDivisionError",
            files={"apps.py": _APP.format(package="broken_bad_ready", line="ready = lambda self: 1 / 0")}),
    Package("bad_tags", r"broken_bad_tags\.templatetags\.shiny cannot be imported: ModuleNotFoundError",
            files={"templatetags/__init__.py": "", "templatetags/shiny.py": "import a_module_that_is_not_there\n",
                   "models.py": _MODEL}),
    Package("bad_migration", r"broken_bad_migration\.migrations\.0001_first cannot be imported: NameError",
            files={"models.py": "", "migrations/__init__.py": "", "migrations/0001_first.py": "nonsense\n"}),
    Package("not_atomic", r"Its migration 0001_first is not atomic",
            files={"models.py": "", "migrations/__init__.py": "",
                   "migrations/0001_first.py": _MIGRATION.format(line="atomic = False")}),
    Package("lost_migration", r"Its migration 0002_next follows broken_lost_migration\.0001_first, which is not installed",
            files={"models.py": "", "migrations/__init__.py": "",
                   "migrations/0002_next.py": _MIGRATION.format(
                       line="dependencies = [('broken_lost_migration', '0001_first')]")}),
)  # fmt: skip
MISSPELT = Package("misspelt", body='    @hook("user_registred")\n    def seen(self, user):\n        pass')
