"""`manage.py demo`: everything at once on this machine: database, two organisations, web, worker, sinks."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from saas.demo import processes, sinks
from saas.demo.preparing import prepare
from saas.demo.seed import PASSWORD, Ports
from saas.demo.tour import tour
from saas.postgres import PostgresError, default_cluster


class Command(BaseCommand):
    """Runs until Ctrl-C, and then stops all that it started."""

    help = "Set up and run the demo: two organisations, web, worker, mail and webhook sinks."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        ports = Ports(int(os.environ.get("PORT") or 8000))
        if not settings.DEMO:
            self._again_as_demo(ports)
        try:
            self._run(ports)
        except (processes.DemoError, PostgresError) as error:
            raise CommandError(str(error)) from error

    def _again_as_demo(self, ports: Ports) -> None:
        """Settings are read once, at start: start again with the demo's."""
        ours = {
            "TENANTRY_DEMO": "true",
            "PUBLIC_PORT": str(ports.web),
            "EMAIL_URL": f"smtp://127.0.0.1:{ports.platform_mail}",
            "PYTHONUNBUFFERED": "1",
        }
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ours})  # noqa: S606  # this very program

    def _run(self, ports: Ports) -> None:
        for port in (ports.web, ports.mail, ports.platform_mail, ports.webhooks):
            processes.free_or_explain(port)
        stopping = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: stopping.set())
        cluster = None if os.environ.get("DATABASE_URL") else default_cluster()
        stops: list[Any] = []
        children: dict[str, Any] = {}
        try:
            if cluster is not None:
                self._say("Starting PostgreSQL …")
                cluster.start()
                stops.append(cluster.stop)
            prepare(ports, self._say)
            stops += [
                sinks.start_mail_sink(ports.mail, {"acme": PASSWORD, "globex": PASSWORD}),
                sinks.start_mail_sink(ports.platform_mail, {}),
                sinks.start_webhook_sink(ports.webhooks),
            ]
            self._serve(ports, children)
            self.stdout.write(tour(ports))
            self._say("Ready")
            while not stopping.wait(1):
                processes.complain_about_dead(children)
        finally:
            self._say("Stopping …")
            processes.stop(children)
            for stop in reversed(stops):
                stop()

    def _serve(self, ports: Ports, children: dict[str, Any]) -> None:
        self._say("Starting web and worker …")
        env, logs = dict(os.environ), Path(settings.DATA_DIR) / "logs"
        web = ["-m", "gunicorn", "saas.wsgi", "--bind", f"127.0.0.1:{ports.web}", "--workers", "2", "--threads", "4"]
        children["web"] = processes.start([*web, "--worker-class", "gthread"], env, logs / "web.log")
        manage = str(settings.BASE_DIR / "manage.py")
        children["worker"] = processes.start([manage, "worker"], env, logs / "worker.log")
        processes.wait_until_ready(f"http://127.0.0.1:{ports.web}/readyz", children, 30)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
