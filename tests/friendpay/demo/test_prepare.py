"""bin/up serves pages at once where nothing is to be prepared, and only there."""

import subprocess
from pathlib import Path

import pytest

from friendpay.demo import prepare
from friendpay.demo.bootstrap import PYTHON


def test_a_data_folder_is_prepared_until_a_migration_or_a_static_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, data = tmp_path / "code", tmp_path / "data"
    (code / "static").mkdir(parents=True)
    (code / "orders" / "migrations").mkdir(parents=True)
    (code / "requirements.txt").write_text("django")
    monkeypatch.setattr(prepare, "ROOT", code)
    data.mkdir()
    assert not prepare.is_done(data)
    for new in ("static/a.css", "orders/migrations/0002_more.py", "requirements.txt"):
        (data / "prepared").write_text(prepare.as_it_is())
        assert prepare.is_done(data)
        (code / new).write_text("new")
        assert not prepare.is_done(data)


def test_a_worker_holds_no_page_of_the_desk_nor_of_the_api() -> None:
    ask = "import sys, django; django.setup(); import orders.tasks, payments.tasks, sandbox.tasks; print(*sys.modules)"
    done = subprocess.run([PYTHON, "-c", ask], capture_output=True, text=True, check=True, cwd=prepare.ROOT)
    loaded = set(done.stdout.split())
    assert "payments.settlement.expiry" in loaded
    assert not {"ninja", "payments.admin", "orders.api.routes", "friendpay.urls", "uvicorn"} & loaded
