"""The rules and the dashboard for Prometheus and Grafana: read by promtool, true to /metrics, and explained."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from payments import heartbeats
from tests import debian

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES = PROMETHEUS / "alerts.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "friendpay.json"
METRIC = re.compile(r"\bfriendpay_\w+")
HERE = {"job": "friendpay", "instance": "a"}

Case = tuple[str, str, str, dict[str, str], str]
CASES: dict[str, Case] = {
    # what is seen, its values when all is well and when it is not, what the alarm is labelled with, and what it says
    "FriendpayDown": ("up", "1+0x60", "0+0x60", {}, "a does not answer /metrics"),
    "FriendpayBackgroundStopped": (
        'friendpay_beat_seconds{queue="calls"}',
        "10 60 5 60 12+0x60",
        "61+0x60",
        {"queue": "calls"},
        "nothing was seen of the queue calls for 61 s",
    ),
    "FriendpayLedgerWrong": ("friendpay_ledger_findings", "0+0x60", "2+0x60", {}, "the books are wrong in 2 places"),
    "FriendpayLedgerUnchecked": (
        "friendpay_ledger_checked_seconds",
        "600+0x60",
        "1801+0x60",
        {},
        "the books were last checked 1801 s ago",
    ),
    "FriendpaySettlingSlow": (
        'friendpay_settle_seconds{quantile="0.95"}',
        "0.1 31 0.1 31 0.1+0x60",
        "31+0x60",
        {"quantile": "0.95"},
        "notifications of money take 31 s to take effect",
    ),
    "FriendpaySweepLate": (
        'friendpay_overdue_seconds{work="refunds"}',
        "3+0x60",
        "130+0x60",
        {"work": "refunds"},
        "refunds have been due for 130 s",
    ),
    "FriendpayTellingLate": (
        'friendpay_overdue_seconds{work="webhooks"}',
        "200+0x60",
        "301+0x60",
        {"work": "webhooks"},
        "webhooks have been due for 301 s",
    ),
    "FriendpayWebhookBacklog": (
        "friendpay_webhook_backlog",
        "5000-10x60",
        "5000+50x60",
        {},
        "7000 webhooks wait, and there are more and more of them",
    ),
    "FriendpayEventsUnpublished": (
        "friendpay_unpublished_events",
        "3 0 5 0 2 0+0x60",
        "3+0x60",
        {},
        "3 events have no place in the order, so no shop is told of them",
    ),
    "FriendpayMonthsMissing": (
        "friendpay_months_ahead",
        "2+0x20 0+0x10 2+0x30",
        "0+0x120",
        {},
        "next month's tables are missing, or this month's are: rows go to an older month's",
    ),
    "FriendpayWalletPaused": (
        "friendpay_paused_accounts",
        "1 1 0 1 1 0+0x60",
        "1+0x60",
        {},
        "1 accounts are left alone because their wallet does not answer",
    ),
    "FriendpayWalletErrors": (
        'friendpay_provider_errors{provider="stripe"}',
        "5+0x60",
        "6+0x60",
        {"provider": "stripe"},
        "stripe answers with errors about 6 payments and refunds",
    ),
    "FriendpayNotificationsRefused": (
        'friendpay_refused_notifications{provider="alipay"}',
        "700+0x60",
        "700+1x60",
        {"provider": "alipay"},
        "notifications in the name of alipay were refused",
    ),
    "FriendpayNotificationsWaiting": (
        'friendpay_unclaimed_notifications{reason="orphan"}',
        "0+0x60",
        "1+0x60",
        {"reason": "orphan"},
        "1 notifications (orphan) wait for support",
    ),
    "FriendpayRefundsFailed": (
        'friendpay_refunds{status="failed"}',
        "0+0x60",
        "1+0x60",
        {"status": "failed"},
        "1 refunds were refused: the money is still owed",
    ),
    "FriendpayBillMismatch": (
        "friendpay_bill_mismatches",
        "0+0x60",
        "4+0x60",
        {},
        "4 lines of wallets' bills do not agree with the books",
    ),
    "FriendpaySocketsLost": (
        "friendpay_sockets",
        "900-5x60",
        "900+0x35 10+0x60",
        {},
        "most open pages lost their socket within ten minutes",
    ),
    "FriendpayValkeySilent": ("friendpay_sockets", "0+0x60", "", {}, "a cannot reach Valkey"),
}


def alarms() -> dict[str, str]:
    """Each alarm with its severity."""
    found = re.findall(r"- alert: (\w+)\n.*?severity: (\w+)", RULES.read_text("utf-8"), re.DOTALL)
    return dict(found)


def promtool(*words: str, cwd: Path = PROMETHEUS) -> None:
    tool = debian.program("promtool", "prometheus")
    done = subprocess.run([tool, *words], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_takes_the_rules_and_the_configuration() -> None:
    promtool("check", "rules", "--lint-fatal", "alerts.yml")
    promtool("check", "config", "--syntax-only", "prometheus.yml")


def scenario(alarm: str, case: Case, *, well: bool) -> dict[str, Any]:
    seen, healthy, ill, labels, summary = case
    name, _, rest = seen.partition("{")
    more = ("," + rest[:-1]) if rest else ""
    series = [{"series": f'{name}{{job="friendpay",instance="a"{more}}}', "values": healthy if well else ill}]
    if name != "up":
        series.append({"series": 'up{job="friendpay",instance="a"}', "values": "1+0x60"})
    severity = alarms()[alarm]
    told = {"exp_labels": {**HERE, **labels, "severity": severity}, "exp_annotations": {"summary": summary}}
    wanted = {"eval_time": "40m", "alertname": alarm, "exp_alerts": [] if well else [told]}
    return {"interval": "1m", "input_series": [one for one in series if one["values"]], "alert_rule_test": [wanted]}


def test_every_alarm_is_raised_when_it_has_to_be_and_not_before(tmp_path: Path) -> None:
    assert list(CASES) == list(alarms()), "each with its case"
    tests = [scenario(alarm, case, well=well) for alarm, case in CASES.items() for well in (True, False)]
    rules = {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}
    (tmp_path / "tests.yml").write_text(json.dumps(rules))  # YAML holds JSON
    promtool("test", "rules", "tests.yml", cwd=tmp_path)


@pytest.mark.django_db
def test_rules_and_dashboard_name_the_metrics_that_there_are(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = "a token for metrics"
    heartbeats.sign("calls")
    heartbeats.note_ledger(0)
    told = client.get("/metrics", headers={"Authorization": "Bearer a token for metrics"}).content.decode()
    there = set(re.findall(r"^# TYPE (\w+)", told, re.MULTILINE))
    expressions = "\n".join(re.findall(r"expr: (.+)", RULES.read_text("utf-8")))
    assert set(METRIC.findall(expressions)) <= there
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    shown = "\n".join(target["expr"] for panel in panels for target in panel["targets"])
    assert set(METRIC.findall(shown)) == there, "the dashboard leaves none out"


def test_prometheus_understands_what_the_dashboard_asks(tmp_path: Path) -> None:
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    asked = [target["expr"] for panel in panels for target in panel["targets"]]
    rules = [{"record": f"asked:{number}", "expr": expr} for number, expr in enumerate(asked)]
    (tmp_path / "asked.yml").write_text(json.dumps({"groups": [{"name": "asked", "rules": rules}]}))
    promtool("check", "rules", "asked.yml", cwd=tmp_path)


def test_every_alarm_is_explained_and_nothing_else() -> None:
    text = (ROOT / "docs" / "operate.md").read_text("utf-8")
    sections = dict(re.findall(r"^### (Friendpay\w+)\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL))
    assert list(sections) == list(alarms())
    for section in sections.values():
        assert "**Means.**" in section
        assert "**Do.**" in section
