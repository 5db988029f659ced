"""Sizes of files and tables, as people read them in either language."""

from __future__ import annotations

import pytest
from django.utils import translation

from plugin_framework.sdk import _counts

KB, MB, GB, TB = (1024**power for power in (1, 2, 3, 4))


@pytest.mark.parametrize(
    ("count", "english", "german"),
    [
        (0, "0 bytes", "0 Bytes"),
        (1, "1 byte", "1 Byte"),
        (1023, "1,023 bytes", "1.023 Bytes"),
        (KB, "1 KB", "1 KB"),
        (1536, "1.5 KB", "1,5 KB"),
        (1000 * KB, "1,000 KB", "1.000 KB"),
        (1023 * KB + 512, "1,023.5 KB", "1.023,5 KB"),
        (MB - 1, "1 MB", "1 MB"),
        (10 * MB, "10 MB", "10 MB"),
        (1000 * MB, "1,000 MB", "1.000 MB"),
        (2 * GB + GB // 2, "2.5 GB", "2,5 GB"),
        (5000 * TB, "5,000 TB", "5.000 TB"),
    ],
)
def test_a_size_has_its_thousands_set_apart_and_no_empty_tenth(count: int, english: str, german: str) -> None:
    assert _counts.size(count) == english.replace(" ", "\xa0")
    with translation.override("de"):
        assert _counts.size(count) == german.replace(" ", "\xa0")
