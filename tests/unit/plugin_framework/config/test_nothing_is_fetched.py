"""What a schema refers to is never fetched, even if one with a foreign reference got past the check of schemas."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from plugin_framework.config.schema import ConfigSchema, _validator


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # jsonschema's, who would fetch it and only complain
def test_a_schema_that_refers_to_a_file_does_not_read_it(tmp_path: Path) -> None:
    there = tmp_path / "schema.json"
    there.write_text(json.dumps({"type": "string", "const": "read from a file"}))
    document = {"type": "object", "properties": {"a": {"$ref": there.as_uri()}}}
    unchecked = ConfigSchema(document, _validator=_validator(document))
    with pytest.raises(Exception, match="Unresolvable"):
        unchecked.validate({"a": "something else"})
