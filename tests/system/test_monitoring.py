"""Prometheus and a real daemon: promtool accepts metrics and rules, and a real server scrapes the
daemon."""

import json
import pathlib
import re
import subprocess
import urllib.parse
import urllib.request

import pytest

from peer import until
from servers import free_port

MONITORING = pathlib.Path(__file__).resolve().parents[2] / "daemon" / "admin" / "monitoring"
RULES = (MONITORING / "claimsd-rules.yml").read_text()
DASHBOARD = json.loads((MONITORING / "claimsd-dashboard.json").read_text())
METRIC = re.compile(r"\b(?:claimsd|process)_[a-z_]+\b")


def promtool(*words, **more):
    done = subprocess.run(["promtool", *words], capture_output=True, text=True, timeout=60, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def busy(claimsd, peer, faults):
    port = free_port()
    daemon = claimsd(faults.url("echo"), daemon={"metrics_listen": f"127.0.0.1:{port}"})
    client = peer(daemon)
    for number in range(5):
        client.ask(f"token-{number}")
    daemon.port = port
    return daemon


def names_in(text):
    """Names of the metrics in the text, without the suffixes of histograms."""
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in METRIC.findall(text)}


def test_promtool_accepts_the_metrics(busy):
    said = promtool("check", "metrics", input=busy.admin("/metrics")[1].decode())
    assert said == ""


def test_promtool_accepts_the_rules_and_their_tests_pass():
    assert "SUCCESS" in promtool("check", "rules", str(MONITORING / "claimsd-rules.yml"))
    assert "SUCCESS" in promtool("test", "rules", "claimsd-rules-test.yml", cwd=MONITORING)
    promtool("check", "config", str(MONITORING / "prometheus.yml"))


def expressions():
    yield from re.findall(r"expr: (?:>\n)?(.*?)\n\s+(?:for|labels):", RULES, re.DOTALL)
    for panel in DASHBOARD["panels"]:
        yield from (target["expr"] for target in panel["targets"])


def test_every_metric_used_by_rules_and_dashboard_exists(busy):
    exposed = set(re.findall(r"^# TYPE (\S+)", busy.admin("/metrics")[1].decode(), re.MULTILINE))
    named = set().union(*map(names_in, expressions()))
    assert len(named) > 20
    assert named <= exposed, named - exposed


def test_a_real_prometheus_scrapes_a_real_daemon(busy, scratch):
    directory, port = scratch(), free_port()
    text = (MONITORING / "prometheus.yml").read_text()
    text = text.replace("127.0.0.1:9464", f"127.0.0.1:{busy.port}").replace("15s", "1s")
    (directory / "prometheus.yml").write_text(text)
    (directory / "claimsd-rules.yml").write_text(RULES)
    command = ["prometheus", f"--config.file={directory}/prometheus.yml", f"--storage.tsdb.path={directory}/data",
               f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"]
    process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], stderr=subprocess.PIPE, text=True)

    def query(expression):
        url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]["result"]
        except OSError:
            return []

    try:
        (up,) = until(lambda: query('up{job="claimsd"} == 1'), "the daemon is scraped")
        assert up["metric"]["instance"] == "HOSTNAME"  # as the sample says: to be replaced on each host
        (questions,) = query("claimsd_queries_total")
        assert questions["value"][1] == "5"
        assert query('histogram_quantile(0.99, sum by (le) (claimsd_upstream_call_seconds_bucket))')
        assert query('ALERTS{alertstate="firing"}') == []
        # This Prometheus can evaluate every expression of rules and dashboard.
        for expression in expressions():
            expression = re.sub(r"\$__rate_interval", "1m", expression).replace("$instance", ".*")
            url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
            assert json.load(urllib.request.urlopen(url, timeout=10))["status"] == "success", expression
    finally:
        process.terminate()
        process.communicate(timeout=60)
