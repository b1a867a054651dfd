"""WeChat's side of the share card: tokens, tickets, and a script that takes what a page says."""

import hashlib
import json
from datetime import datetime, timedelta

from friendpay.demo.emulation.base import Emulator, token
from friendpay.demo.emulation.messages import Request, Response, as_json, route

LIVES = 7200

_SCRIPT = """
window.wx = {
  said: {},
  config(given) {
    for (const name of ["appId", "timestamp", "nonceStr", "signature", "jsApiList"])
      if (!given[name]) throw new Error("wx.config wants " + name);
    this.said.config = given;
  },
  ready(then) { Promise.resolve().then(then); },
  error() {},
  updateAppMessageShareData(card) { this.said.message = card; },
  updateTimelineShareData(card) { this.said.timeline = card; },
};
"""


class ShareCard(Emulator):
    """What the gateway's half of the emulator is mixed with."""

    appid: str
    app_secret: str

    def __init__(self, **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self.safe_domain = "shop.example"  # JS接口安全域名
        self._tokens: dict[str, datetime] = {}
        self.tickets: dict[str, datetime] = {}

    @route("POST", "/cgi-bin/stable_token")
    def stable_token(self, request: Request) -> Response:
        try:
            given = json.loads(request.body)
        except ValueError:
            return as_json({"errcode": 47001, "errmsg": "data format error"})
        if given.get("grant_type") != "client_credential":
            return as_json({"errcode": 40002, "errmsg": "invalid grant_type"})
        if given.get("appid") != self.appid:
            return as_json({"errcode": 40013, "errmsg": "invalid appid"})
        if given.get("secret") != self.app_secret:
            return as_json({"errcode": 40125, "errmsg": "invalid appsecret"})
        now = self.clock.now()
        known = next((name for name, ends in self._tokens.items() if ends > now), "")  # the same until it ends
        name = known or token(136)
        ends = self._tokens.setdefault(name, now + timedelta(seconds=LIVES))
        return as_json({"access_token": name, "expires_in": int((ends - now).total_seconds())})

    @route("GET", "/cgi-bin/ticket/getticket")
    def ticket(self, request: Request) -> Response:
        now = self.clock.now()
        ends = self._tokens.get(request.query.get("access_token", ""))
        if ends is None:
            return as_json({"errcode": 40001, "errmsg": "invalid credential, access_token is invalid or not latest"})
        if ends <= now:
            return as_json({"errcode": 42001, "errmsg": "access_token expired"})
        if request.query.get("type") != "jsapi":
            return as_json({"errcode": 40097, "errmsg": "invalid args"})
        known = next((name for name, ends in self.tickets.items() if ends > now), "")
        name = known or token(86)
        ends = self.tickets.setdefault(name, now + timedelta(seconds=LIVES))
        lasts = int((ends - now).total_seconds())
        return as_json({"errcode": 0, "errmsg": "ok", "ticket": name, "expires_in": lasts})

    @route("GET", "/open/js/jweixin-1.6.0.js")
    def script(self, request: Request) -> Response:
        return Response(200, _SCRIPT.encode(), "text/javascript")

    def believes(self, config: dict[str, object], url: str) -> bool:
        """Whether WeChat would take this `wx.config` on the page at `url`; else it says "invalid signature"."""
        page = url.partition("#")[0]
        now = self.clock.now()
        return config["appId"] == self.appid and any(
            hashlib.sha1(
                f"jsapi_ticket={name}&noncestr={config['nonceStr']}&timestamp={config['timestamp']}&url={page}".encode()
            ).hexdigest()
            == config["signature"]
            for name, ends in self.tickets.items()
            if ends > now
        )
