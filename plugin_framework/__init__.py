"""The plugin engine: which plugins run for a tenant, and how hooks reach them."""

PLATFORM_VERSION = "0.1.0"  # what a plugin's `requires_platform` is compared with
