"""The language of the pages: what the browser asks for, or what somebody has chosen in it."""

from __future__ import annotations

from django.views.decorators.http import require_POST
from django.views.i18n import set_language

# Kept in a cookie: it costs no query, and works where nobody is signed in. `next` leads back to where they were.
choose = require_POST(set_language)
