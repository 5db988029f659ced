"""Answers /healthz and /readyz on every host, before anything asks which tenant is meant."""

from __future__ import annotations

from collections.abc import Callable

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase

from plugin_framework.tenancy import public_scope


class HealthMiddleware:
    """`/healthz`: this process answers. `/readyz`: it also reaches the database, and the database is set up."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path == "/healthz":
            return JsonResponse({"status": "ok"})
        if request.path == "/readyz":
            problem = _database_problem()
            return JsonResponse({"status": problem or "ok"}, status=503 if problem else 200)
        return self.get_response(request)


def _database_problem() -> str:
    try:
        with public_scope(), connection.cursor() as cursor:
            cursor.execute("SELECT to_regproc('public.tenantry_resolve_host')")
            return "" if cursor.fetchone()[0] else "the database is not set up: run manage.py migrate_tenants"
    except DatabaseError:
        connection.close()
        return "the database does not answer"
