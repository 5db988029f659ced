"""What can be wrong with a plugin's code, a sentence for each fault: kept and logged in English, read in the reader's language."""

from __future__ import annotations

from plugin_framework.sdk._words import Phrase

# its class
NO_PLUGIN = Phrase("%(plugin)s is not a plugin: derive it from PluginInterface.")
WANTS_ARGUMENTS = Phrase("%(plugin)s cannot be made without arguments: %(error)s.")
NAME = Phrase("%(plugin)s has the name %(value)s; use lower-case letters, digits and underscores.")
VERSION = Phrase("%(plugin)s states no usable version: %(error)s. Use one like '1.0.0' (PEP 440).")
PLATFORM = Phrase(
    "%(plugin)s %(version)s needs Tenantry %(wanted)s, and this is %(here)s. Install a version of it for this one."
)
CONFIG_VERSION = Phrase("%(plugin)s has the config_version %(value)s; count from 1.")
PRIORITY = Phrase("%(plugin)s has the priority %(value)s; use a whole number.")
DECLARES = Phrase("%(plugin)s declares %(value)s; use a list of action(…), filter_value(…) and event(…).")
TEXT = Phrase("%(plugin)s has the %(attribute)s %(value)s; use a text, or leave it out.")
TEXTS = Phrase("%(plugin)s has the %(attribute)s %(value)s; use a list of texts, even for a single one.")
LINK = Phrase("%(plugin)s has the %(attribute)s %(value)s; begin it with one of: %(schemes)s")
CHANGELOG = Phrase(
    "%(plugin)s has %(value)s in its changelog; write each entry as (version, date, text): "
    '("1.1.0", "2026-11-28", "Finds orders faster.")'
)
DEPENDENCIES = Phrase("The dependencies of %(plugin)s are a text; use a list: [%(value)s].")
DEPENDENCY = Phrase("%(plugin)s depends on %(value)s, which is not like 'orders>=1.2,<2': %(error)s")
SCHEMA = Phrase("The settings schema of %(plugin)s is not usable: %(why)s")
PAGES = Phrase("The pages of %(plugin)s cannot be loaded from %(value)s: %(error)s.")

# its handlers and jobs
SIGNATURE = Phrase("%(handler)s cannot handle %(hook)s, which passes (%(args)s): %(error)s.")
DOES_NOTHING = Phrase("%(handler)s would do nothing when it is called: make it a plain `def` without `yield`.")
TAKEN_NAME = Phrase("%(handler)s has the name of something the platform calls itself; give it another one.")
NEVER_DUE = Phrase("The job %(job)s is never due: %(error)s")
JOB_ARGUMENTS = Phrase("The job %(job)s cannot be called without arguments: %(error)s.")
NO_SCHEDULE = Phrase(
    "%(expression)s is no schedule: write minute, hour, day of month, month and day of week, as in '0 4 * * *'."
)
BAD_SCHEDULE = Phrase("%(expression)s is no schedule: %(error)s.")
NO_TIME = Phrase("it is never due")

# among the others
OF_PACKAGE = Phrase("%(source)s of the package %(package)s")
SAME_NAME = Phrase("%(number)s packages have a plugin called %(name)s: %(packages)s. Remove all but one of them.")
NAME_IN_SETTING = Phrase(
    "The PLUGINS setting has a plugin called %(name)s already; %(other)s cannot have that name too. Remove one of the two."
)
LISTED_OTHERWISE = Phrase("%(source)s calls itself %(name)s, but is listed as %(listed)s. Let both be the same.")
SAME_POINT = Phrase("%(plugin)s declares %(hook)s, which is declared already, by %(owner)s. Give it another name.")
THE_PLATFORM = Phrase("the platform")
CYCLE = Phrase("%(plugin)s is part of a dependency cycle: %(circle)s. Remove one of the arrows.")

# while it was loaded
NOT_IMPORTED = Phrase("%(module)s cannot be imported: %(error)s.")
NOT_LOADED = Phrase("%(plugin)s cannot be loaded. %(why)s")
NOT_LOADED_FROM = Phrase("%(plugin)s cannot be loaded from %(source)s: %(error)s.")
NOT_STARTED = Phrase("%(plugin)s cannot be started. %(why)s")
NOT_READY = Phrase("%(config)s.ready() of %(app)s failed: %(error)s.")
FAILED = Phrase("%(plugin)s failed while it was loaded: %(error)s.")
SAME_LABEL = Phrase("Its Django app has the label %(label)s, as %(holder)s has; set another `label` in its AppConfig.")
NO_MIGRATION = Phrase("Its migration %(name)s has no class Migration. Add it, or delete the file.")
NOT_ATOMIC = Phrase(
    "Its migration %(name)s is not atomic, and plugins are migrated inside a transaction. Remove `atomic = False`."
)
MANY_ENDS = Phrase("Its migrations have several ends: %(ends)s. Let one follow the other.")
NOTHING_BEFORE = Phrase(
    "Its migration %(name)s follows %(before)s, which is not installed. Install that, or correct the name."
)
