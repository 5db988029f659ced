"""The fixtures that Tenantry gives to plugin authors."""

pytest_plugins = ["saas.testing.plugin"]
