"""Benchmarks of many tenants in one installation: requests, memory, sign-ups and migrations, beside few tenants and django-tenants."""
