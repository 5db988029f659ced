"""Settings of our own tests: those for tests, and a few plugins to try things on."""

from saas.testing.settings import *  # noqa: F403  # Django's own idiom for a settings file over another

PLUGINS = {
    **PLUGINS,  # noqa: F405  # from the star import
    "canary": {"module": "tests.dummies.canary", "class": "CanaryPlugin"},
    "gated": {"module": "tests.dummies.gated", "class": "GatedPlugin"},
}
TEMPLATES[0]["DIRS"] = [BASE_DIR / "templates", BASE_DIR / "tests" / "dummies" / "templates"]  # noqa: F405  # the same
if env.str("PLANTED", default=""):  # noqa: F405  # a fault that tests must find; see tests/isolation/planted
    INSTALLED_APPS = ["tests.isolation.planted", *INSTALLED_APPS]  # noqa: F405  # the same
