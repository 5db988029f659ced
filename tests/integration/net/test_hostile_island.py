"""The guard in a network in which every address there is leads to a listener: nothing but public ones hears anything."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings

from plugin_framework.runtime import EngineRuntime
from plugin_framework.sdk.net import PUBLIC_ONLY, DestinationRefused, DestinationUnreachable, HttpClient, NetworkPolicy
from saas.testing.databases import ROOT
from tests.integration.net import hostile, island
from tests.integration.net.receivers import LOOKOUT, Receiver, Talk, answer, records

NAMESPACE = ["unshare", "--user", "--map-root-user", "--net"]


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    """What came of everything the island tries; where the system allows no namespaces, of what can be tried without."""
    stand_in = not _may_make_a_network()
    program = [sys.executable, "-W", "error", "-m", "tests.integration.net.island"]
    command = [*program, "--stand-in"] if stand_in else [*NAMESPACE, *program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["stand-in"] is stand_in
    return found


def _may_make_a_network() -> bool:
    """Making one, and using `ip` in it, are both refused in some containers."""
    if not (shutil.which("unshare") and shutil.which("ip")):
        return False
    tried = subprocess.run([*NAMESPACE, "ip", "link", "set", "lo", "up"], capture_output=True, check=False)
    return tried.returncode == 0


def hidden(report: dict[str, Any]) -> set[str]:
    return set(island.STAND_IN if report["stand-in"] else island.HIDDEN)


def test_each_listener_hears_who_goes_past_the_guard(report: dict[str, Any]) -> None:
    public = () if report["stand-in"] else island.PUBLIC
    assert report["control"] == dict.fromkeys((*public, *hidden(report)), 1)


def test_no_hostile_url_reaches_a_loopback_private_or_metadata_address(report: dict[str, Any]) -> None:
    corpus = report["corpus"]
    assert corpus["urls"] >= 2000
    assert set(corpus["seen"]) <= set(island.PUBLIC[:1])
    assert all(url.split("://")[1].startswith("good.test") for url in corpus["through"])


def test_a_host_with_public_and_hidden_addresses_is_refused_every_time(report: dict[str, Any]) -> None:
    assert report["both at once"] == {"results": {"refused": island.RUNS}, "asked": island.RUNS, "seen": {}}


def test_the_address_that_was_checked_is_the_one_that_hears_it_though_dns_says_another_each_time(
    report: dict[str, Any],
) -> None:
    found = report["first then"]
    assert found["asked"] == island.RUNS  # once for each request: nothing is looked up again after the check
    assert found["results"] == {"answered": 20, "refused": 30}
    public = {"127.0.0.1": 20} if report["stand-in"] else dict.fromkeys(island.PUBLIC[1:], 10)
    assert found["seen"] == public


def test_no_redirect_is_followed_wherever_it_leads(report: dict[str, Any]) -> None:
    found = report["redirects"]
    assert found["results"] == {"RedirectRefused": found["each"] * len(found["from"])}
    assert found["seen"] == dict.fromkeys(found["from"], found["each"])


def test_a_url_that_was_good_when_it_was_saved_is_looked_at_again_when_something_is_sent(
    receiver: Callable[..., Receiver],
) -> None:
    canaries = [receiver(Talk.hang, host=host) for host in island.STAND_IN]
    http = HttpClient(
        NetworkPolicy(allow_http=True, extra_ports=frozenset(canary.port for canary in canaries)),
        resolver=lambda _host, port, **_options: records((answers.pop(),), port),
    )
    with LOOKOUT.watch() as seen:
        for run in range(island.RUNS):
            answers = [canaries[run % 3].host, "8.8.8.8"]  # the last one first
            url = f"http://rebind.test:{canaries[run % 3].port}/"
            http.check_url(url)
            with pytest.raises(DestinationRefused):
                http.post(url, json={})
            assert answers == []
    assert (seen, [len(canary.talks) for canary in canaries]) == ([], [0, 0, 0])


def test_a_form_refuses_what_the_client_would_refuse_in_the_same_words() -> None:
    http = HttpClient(resolver=hostile.resolver)
    with LOOKOUT.watch() as seen:
        for url in hostile.urls(443):
            with pytest.raises((DestinationRefused, DestinationUnreachable)) as caught:
                http.check_url(url)
            with pytest.raises(type(caught.value)) as again:
                http.get(url)
            assert str(again.value) == str(caught.value)
    assert seen == []


@pytest.mark.parametrize(
    ("environment", "allowed"),
    [
        ({}, False),
        ({"DEBUG": "true"}, False),
        ({"PLUGIN_ALLOW_LOOPBACK": "false", "TENANTRY_DEMO": "true"}, False),
        ({"TENANTRY_DEMO": "true"}, True),
        ({"PLUGIN_ALLOW_LOOPBACK": "true"}, True),
    ],
)
def test_loopback_is_closed_unless_the_demo_or_somebody_on_purpose_opens_it(
    environment: dict[str, str], allowed: bool
) -> None:
    ours = ("PLUGIN_ALLOW_LOOPBACK", "TENANTRY_DEMO", "DEBUG", "DJANGO_SETTINGS_MODULE")
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    program = "from saas import settings; print(settings.PLUGIN_ALLOW_LOOPBACK)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=kept | environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.strip() == str(allowed)


@pytest.mark.parametrize("allowed", [False, True])
def test_the_switch_is_all_that_lies_between_a_plugin_and_this_machine(
    settings: Settings, receiver: Callable[..., Receiver], allowed: bool
) -> None:
    settings.PLUGIN_ALLOW_LOOPBACK = allowed
    policy = EngineRuntime().network_policy()
    assert (policy == PUBLIC_ONLY) is not allowed
    canary = receiver(answer(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
    http = HttpClient(policy)
    if allowed:
        assert http.get(canary.url).ok
    else:
        for url in (canary.url, canary.url.replace("http:", "https:"), "https://127.0.0.1/"):
            with pytest.raises(DestinationRefused):
                http.get(url)
    assert len(canary.talks) == int(allowed)
