"""The built-in plugins, written only against the SDK."""
