"""Settings of plugins as JSON Schema: which schemas are accepted, and what a configuration must be to fit one. Pure functions."""

from plugin_framework.config.errors import FieldError, SchemaError
from plugin_framework.config.schema import FREE_FORM, Checked, ConfigSchema, compile_schema

__all__ = ["FREE_FORM", "Checked", "ConfigSchema", "FieldError", "SchemaError", "compile_schema"]
