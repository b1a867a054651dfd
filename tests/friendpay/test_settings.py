"""The boot: what stops it, and what it decides from the environment."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
REAL = {
    "SECRET_KEY": "8Hc2p0Zq-vY4nJ7sL1wX9eR6tB3kM5aD_fG0hK2lP4oI6uY8tQ1w",
    "CREDENTIAL_KEYS": "V9UMM0Rw0mIDZ0KpCVL8o0GhbiNiEFXzG3qJ7HTDM2A=",
    "PUBLIC_URL": "https://pay.example",
    "DATABASE_URL": "postgresql://shop:pa%40ss@db.internal:5433/pay?sslmode=require",
    "REDIS_URL": "redis://one:6379/0,redis://two:6379/0",
}
DEMO = {**REAL, "FRIENDPAY_DEMO": "yes", "PUBLIC_URL": "http://127.0.0.1:8000"}


def documented() -> set[str]:
    """The settings that .env.example names."""
    return set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text("utf-8"), re.M))


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting comes from where the tests run."""
    for name in documented() | set(DEMO):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)


def boot(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> dict[str, Any]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(str(ROOT / "friendpay" / "settings.py"))


@pytest.mark.parametrize("missing", REAL)
def test_each_missing_secret_stops_the_boot_and_is_named(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    with pytest.raises(SystemExit, match=f"^friendpay: {missing} is not set"):
        boot(monkeypatch, {name: value for name, value in REAL.items() if name != missing})


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("CREDENTIAL_KEYS", "short", "no Fernet key"),
        ("PUBLIC_URL", "pay.example", "PUBLIC_URL"),
        ("DATABASE_URL", "mysql://db/pay", "PostgreSQL alone"),
        ("DATABASE_URL", "postgresql://db/pay?nonsense=1", "DATABASE_URL cannot be read"),
        ("DIRECT_DATABASE_URL", "mysql://db/pay", "DIRECT_DATABASE_URL must begin with postgresql"),
        ("CELL", "K", "no mark of a cell"),
        ("CELL", "KA", "no mark of a cell"),
        ("CELL", "5K", "no mark of a cell"),
        ("CELL", "k3", "no mark of a cell"),
        ("REDIS_URL", "memcached://one", "REDIS_URL"),
        ("TRUSTED_PROXIES", "proxy", "TRUSTED_PROXIES"),
        ("WEB_THREADS", "0", "WEB_THREADS"),
        ("DESK_SECOND_PERSON_ABOVE", "CNY:lots", "DESK_SECOND_PERSON_ABOVE"),
        ("PAYER_DATA_DAYS", "٥", "not a whole number"),
        ("PAYER_DATA_DAYS", "99999999999999999999", "not a whole number"),
        ("WEBHOOK_ALLOW_LOOPBACK", "yes", "for the demo alone"),
        ("SECRET_KEY", "a", "SECRET_KEY can be guessed"),
        ("SECRET_KEY", "a" * 64, "SECRET_KEY can be guessed"),
        ("SECRET_KEY", "changeme", "SECRET_KEY can be guessed"),
        ("SECRET_KEY", "changeme" * 8, "SECRET_KEY can be guessed"),
        ("SECRET_KEY", "password1234" * 4, "SECRET_KEY can be guessed"),
        ("SECRET_KEY", "friendpay-secret-" * 3 + "key", "SECRET_KEY can be guessed"),
        ("SECRET_KEY", "django-insecure-8Hc2p0Zq-vY4nJ7sL1wX9eR6tB3kM5aD_fG0hK2l", "SECRET_KEY can be guessed"),
        ("SECRET_KEY_FALLBACKS", "an old one", "SECRET_KEY_FALLBACKS can be guessed"),
        ("SECRET_KEY", "please-change-this-secret-key-before-production-use", "SECRET_KEY can be guessed"),
        ("SECRET_KEY", "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP", "SECRET_KEY can be guessed"),
        ("SECRET_KEY", "qwertyuiopasdfghjklzxcvbnm1234567890qwertyuiopasdfg", "SECRET_KEY can be guessed"),
        ("METRICS_TOKEN", "a", "METRICS_TOKEN can be guessed"),
        ("DIGEST_KEY", "short", "DIGEST_KEY can be guessed"),
        ("ALLOWED_HOSTS", "*", "ALLOWED_HOSTS"),
        ("ALLOWED_HOSTS", "pay.example, *", "ALLOWED_HOSTS"),
        ("ALLOWED_HOSTS", ".", "ALLOWED_HOSTS"),
        ("ALLOWED_HOSTS", "pay.example,.com", "lets anybody choose the host"),
        ("ALLOWED_HOSTS", "https://pay.example", "no name of a host"),
        ("ALLOWED_HOSTS", "pay.example:443", "no name of a host"),
        ("ALLOWED_HOSTS", "www.pay.example", "every page would be refused"),
        ("TRUSTED_PROXIES", "0.0.0.0/0", "lets strangers say who they are"),
        ("TRUSTED_PROXIES", "10.0.0.1,0.0.0.0/1", "lets strangers say who they are"),
        ("TRUSTED_PROXIES", "::/0", "lets strangers say who they are"),
        ("TRUSTED_PROXIES", "8.0.0.0/8", "lets strangers say who they are"),
        ("TRUSTED_PROXIES", "2000::/16", "lets strangers say who they are"),
        ("TRUSTED_PROXIES", "127.0.0.1/1", "is not an IP address or network"),
        ("PUBLIC_URL", "http://pay.example", "not encrypted"),
        ("PUBLIC_URL", "http://8.8.8.8:8000", "not encrypted"),
        ("PUBLIC_URL", "http://2130706433", "not encrypted"),
        ("PUBLIC_URL", "http://127.0.0.1.evil.example", "not encrypted"),
        ("PUBLIC_URL", "http://0.0.0.0:8000", "not encrypted"),
        ("PUBLIC_URL", "https://pay example", "not an address"),
        ("PUBLIC_URL", "https://pay_one.example", "not an address"),
        ("PUBLIC_URL", "https://пэй.рф", "xn--"),
    ],
)
def test_a_malformed_setting_stops_the_boot(monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str) -> None:
    with pytest.raises(SystemExit, match=words):
        boot(monkeypatch, REAL | {name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOWED_HOSTS", "pay.example,shop.example"),
        ("ALLOWED_HOSTS", ".pay.example"),
        ("ALLOWED_HOSTS", "PAY.example"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,fd00::/16"),
        ("TRUSTED_PROXIES", "104.16.0.0/13,2400:cb00::/32"),
        ("METRICS_TOKEN", REAL["SECRET_KEY"]),
        ("SECRET_KEY", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
    ],
)
def test_what_is_well_chosen_boots(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    assert boot(monkeypatch, REAL | {name: value})["DEBUG"] is False


def test_a_site_may_be_an_address_of_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    assert boot(monkeypatch, REAL | {"PUBLIC_URL": "https://[2001:db8::1]"})["ALLOWED_HOSTS"] == ["[2001:db8::1]"]


def test_all_a_stopped_boot_says_is_one_line() -> None:
    clean = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", "import friendpay.settings"], env=clean, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("friendpay: SECRET_KEY is not set")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "public",
    [
        {"PUBLIC_URL": "https://pay.example"},
        {"PUBLIC_URL": "http://8.8.8.8"},
        {"ALLOWED_HOSTS": "127.0.0.1,pay.example"},
        {"ALLOWED_HOSTS": "*"},
    ],
)
def test_the_demo_is_refused_on_a_public_host(monkeypatch: pytest.MonkeyPatch, public: dict[str, str]) -> None:
    with pytest.raises(SystemExit, match="FRIENDPAY_DEMO"):
        boot(monkeypatch, DEMO | public)


def test_the_demo_may_be_shown_in_ones_own_network(monkeypatch: pytest.MonkeyPatch) -> None:
    assert boot(monkeypatch, DEMO | {"PUBLIC_URL": "http://192.168.1.5:8000"})["ALLOWED_HOSTS"] == ["192.168.1.5"]


def test_webhooks_reach_this_machine_in_a_demo_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert boot(monkeypatch, DEMO)["WEBHOOK_ALLOW_LOOPBACK"] is False
    assert boot(monkeypatch, DEMO | {"WEBHOOK_ALLOW_LOOPBACK": "yes"})["WEBHOOK_ALLOW_LOOPBACK"] is True


def test_mails_go_to_the_log_until_a_server_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    found = boot(monkeypatch, REAL)
    assert found["EMAIL_BACKEND"].endswith("console.EmailBackend")
    assert (found["DEFAULT_FROM_EMAIL"], found["ADMINS"]) == ("friendpay@pay.example", [])
    named = {"EMAIL_HOST": "mail.internal", "OPERATOR_EMAILS": "a@pay.example, b@pay.example"}
    found = boot(monkeypatch, REAL | named)
    assert found["EMAIL_BACKEND"].endswith("smtp.EmailBackend")
    assert (found["EMAIL_USE_TLS"], len(found["ADMINS"])) == (True, 2)


def test_people_are_asked_for_an_address_only_where_mail_goes_somewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    assert boot(monkeypatch, REAL)["MAIL_TO_PEOPLE"] is False
    demo = boot(monkeypatch, DEMO | {"FRIENDPAY_DATA": "/data"})
    assert demo["MAIL_TO_PEOPLE"] is True
    assert (demo["EMAIL_BACKEND"].split(".")[-2], demo["EMAIL_FILE_PATH"]) == ("filebased", "/data/mail")
    monkeypatch.delenv("FRIENDPAY_DEMO")
    assert boot(monkeypatch, REAL | {"EMAIL_HOST": "mail.internal"})["MAIL_TO_PEOPLE"] is True


def test_without_the_switch_there_is_no_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    found = boot(monkeypatch, REAL)
    assert found["DEMO"] is False
    assert found["DEBUG"] is False


def test_an_encrypted_site_keeps_its_cookies_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    found = boot(monkeypatch, REAL)
    assert found["SESSION_COOKIE_SECURE"]
    assert found["CSRF_COOKIE_SECURE"]
    assert found["SECURE_HSTS_SECONDS"] > 0
    assert found["CSRF_TRUSTED_ORIGINS"] == ["https://pay.example"]
    assert not boot(monkeypatch, DEMO)["SESSION_COOKIE_SECURE"]


def test_the_database_url_is_read_as_libpq_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = boot(monkeypatch, REAL)["DATABASES"]["default"]
    assert (found["HOST"], found["PORT"], found["NAME"]) == ("db.internal", "5433", "pay")
    assert (found["USER"], found["PASSWORD"]) == ("shop", "pa@ss")
    assert found["OPTIONS"]["sslmode"] == "require"
    assert found["CONN_MAX_AGE"] is None


@pytest.mark.parametrize(("cell", "mark", "several"), [("", "", False), ("first", "", True), ("K3", "K3", True)])
def test_the_first_of_several_cells_has_no_mark(
    monkeypatch: pytest.MonkeyPatch, cell: str, mark: str, several: bool
) -> None:
    found = boot(monkeypatch, REAL | {"CELL": cell})
    assert (found["CELL"], found["CELLS"]) == (mark, several)


def test_behind_a_pooler_nothing_of_a_session_is_relied_on(monkeypatch: pytest.MonkeyPatch) -> None:
    direct = boot(monkeypatch, REAL)
    assert direct["DIRECT_DATABASE_URL"] == direct["DATABASE_URL"]
    plain, pooled = (
        found["DATABASES"]["default"]
        for found in (direct, boot(monkeypatch, REAL | {"DIRECT_DATABASE_URL": "postgresql://db/pay"}))
    )
    assert (plain["OPTIONS"]["prepare_threshold"], plain["DISABLE_SERVER_SIDE_CURSORS"]) == (0, False)
    assert (pooled["OPTIONS"]["prepare_threshold"], pooled["DISABLE_SERVER_SIDE_CURSORS"]) == (None, True)
    assert pooled["HOST"] == plain["HOST"]


def test_subscriptions_have_no_time_limit_and_every_valkey_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = boot(monkeypatch, REAL)["CHANNEL_LAYERS"]["default"]["CONFIG"]["hosts"]
    assert [host["address"] for host in hosts] == ["redis://one:6379/0", "redis://two:6379/0"]
    assert {host["socket_timeout"] for host in hosts} == {None}


def test_the_broker_is_the_first_valkey_unless_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert boot(monkeypatch, REAL)["CELERY_BROKER_URL"] == "redis://one:6379/0"
    assert boot(monkeypatch, {"REDIS_URL": "unix:///v/s"})["CELERY_BROKER_URL"] == "redis+socket:///v/s"
    named = boot(monkeypatch, {"CELERY_BROKER_URL": "amqp://rabbit//"})
    assert named["CELERY_BROKER_URL"] == "amqp://rabbit//"
    assert "CELERY_BROKER_TRANSPORT_OPTIONS" not in named


def test_every_setting_is_documented_and_every_documented_one_is_read() -> None:
    source = (ROOT / "friendpay" / "settings.py").read_text("utf-8")
    read = set(re.findall(r'env\.[a-z_]+\("([A-Z_]+)"', source))
    assert read == documented()


def test_no_value_of_the_example_is_followed_by_words() -> None:
    """systemd and Docker take what stands behind a value for part of it."""
    lines = (ROOT / ".env.example").read_text("utf-8").splitlines()
    assert not [line for line in lines if line and not line.startswith("#") and (" " in line or "#" in line)]


def test_the_example_boots_once_its_secrets_are_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (ROOT / ".env.example").read_text("utf-8").splitlines()
    example = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    found = boot(monkeypatch, example | {name: REAL[name] for name in ("SECRET_KEY", "CREDENTIAL_KEYS")})
    assert (found["PUBLIC_URL"], found["TRUSTED_PROXIES"]) == ("https://pay.shop.example", ["127.0.0.1"])


OLD, NEW = "Old9pZ0q-vY4nJ7sL1wX9eR6tB3kM5aD", "New8Hc2p0Zq-vY4nJ7sL1wX9eR6tB3kM"


def test_what_is_kept_as_a_digest_outlives_the_secret_key(monkeypatch: pytest.MonkeyPatch) -> None:
    assert boot(monkeypatch, REAL | {"SECRET_KEY": OLD})["DIGEST_KEY"] == OLD
    rotated = boot(monkeypatch, REAL | {"SECRET_KEY": NEW, "SECRET_KEY_FALLBACKS": OLD})
    assert (rotated["SECRET_KEY"], rotated["SECRET_KEY_FALLBACKS"], rotated["DIGEST_KEY"]) == (NEW, [OLD], OLD)
    monkeypatch.delenv("SECRET_KEY_FALLBACKS")
    assert boot(monkeypatch, REAL | {"SECRET_KEY": NEW, "DIGEST_KEY": OLD})["DIGEST_KEY"] == OLD


@pytest.mark.proof
def test_django_has_nothing_to_say_about_a_deployment() -> None:
    """`manage.py check --deploy`, with settings as the guide to production asks for them."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **REAL}
    command = [sys.executable, str(ROOT / "manage.py"), "check", "--deploy", "--fail-level", "INFO"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, "no issues (6 silenced)" in done.stdout) == (0, True), done.stderr
