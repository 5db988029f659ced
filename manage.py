#!/usr/bin/env python
"""Django's command line, bound to Tenantry's settings."""

import gc
import os
import sys

if __name__ == "__main__":
    gc.disable()  # until `saas.apps` is ready: searching what is loaded for garbage would take a seventh of the start
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "saas.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
