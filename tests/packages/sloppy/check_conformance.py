"""Not collected with our own tests: it is meant to fail, each check for its own reason."""

import pytest

from saas.testing.conformance import Conformance


class TestSloppy(Conformance):
    """With settings with which it does run."""

    @pytest.fixture
    def config(self):
        """Valid, unlike the defaults."""
        return {"size": 3, "colour": "red"}
