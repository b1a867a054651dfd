"""A tab that really goes to the background and sleeps there. Playwright keeps all of its own awake and in sight."""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

DEAF = """
const Real = WebSocket;
window.WebSocket = class extends Real {
  set onmessage(hear) { super.onmessage = (event) => window.deaf || hear(event) }
};
"""
"""A line that is dead without knowing it, as a phone's is after a while in a pocket."""


class Tab:
    """Driven by the browser's own protocol."""

    def __init__(self, line: ClientConnection) -> None:
        self._line, self._calls = line, 0
        self._session = ""
        self._target = self._open("about:blank")
        self._session = self.call("Target.attachToTarget", targetId=self._target, flatten=True)["sessionId"]
        self.call("Page.enable")
        self.call("Page.addScriptToEvaluateOnNewDocument", source=DEAF)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        self._calls += 1
        mine = {"sessionId": self._session} if self._session and not method.startswith("Target.") else {}
        self._line.send(json.dumps({"id": self._calls, "method": method, "params": params, **mine}))
        while True:
            answer: dict[str, Any] = json.loads(self._line.recv(timeout=60))
            if answer.get("id") == self._calls:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

    def _open(self, address: str) -> str:
        return str(self.call("Target.createTarget", url=address)["targetId"])

    def evaluate(self, expression: str) -> Any:
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def go(self, address: str) -> None:
        self.call("Page.navigate", url=address)

    def sees(self, words: str, *, within: float = 60) -> None:
        end = time.monotonic() + within
        while words not in (self.evaluate("document.body.innerText") or ""):
            assert time.monotonic() < end, f"not within {within} seconds: {words}"
            time.sleep(0.05)

    def sleep(self) -> None:
        """Another tab comes in front, the line goes dead, and the browser stops this page."""
        self.evaluate("window.deaf = true; document.addEventListener('freeze', () => (window.slept = true))")
        self.call("Target.activateTarget", targetId=self._open("about:blank"))
        end = time.monotonic() + 60
        while not self.evaluate("document.hidden"):
            assert time.monotonic() < end, "the tab stays in sight"
        self.call("Page.setWebLifecycleState", state="frozen")

    def wake(self) -> None:
        self.call("Page.setWebLifecycleState", state="active")
        self.call("Target.activateTarget", targetId=self._target)
        assert self.evaluate("window.slept"), "the browser did not stop the page"


@contextmanager
def sleeper(browser: str, folder: Path) -> Iterator[Tab]:
    """A browser of its own with one tab."""
    options = ("--headless=new", "--no-sandbox", "--remote-debugging-port=0", f"--user-data-dir={folder}")
    process = subprocess.Popen([browser, *options, "about:blank"], stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr
        found = next(filter(None, (re.search(r"ws://\S+", line) for line in process.stderr)))
        with connect(found[0], max_size=None) as line:
            yield Tab(line)
    finally:
        process.terminate()
        process.wait(60)
