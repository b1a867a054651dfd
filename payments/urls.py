"""Addresses of buyers' and friends' pages, and of the wallets' notifications."""

from django.urls import include, path
from django.views.i18n import set_language

from payments.pages import buyer, embed, friend, login, mail, notify, push, receipt, report, share, share_card, steps

_BUYER = [
    path("", buyer.show, name="buyer"),
    path("ask/", buyer.ask, name="buyer_ask"),
    path("mine/", buyer.mine, name="buyer_mine"),
    path("more-time/", buyer.more_time, name="buyer_more_time"),
    path("message/", buyer.message, name="buyer_message"),
    path("parts/", buyer.parts, name="buyer_parts"),
    path("shares/", buyer.shares, name="buyer_shares"),
    path("cancel/", buyer.cancel, name="buyer_cancel"),
    path("pay/", buyer.pay, name="buyer_pay"),
    path("mail/", mail.tell_buyer, name="buyer_mail"),
    path("push/", push.tell_buyer, name="buyer_push"),
    path("thanks/", buyer.thanks, name="buyer_thanks"),
    path("receipt/", buyer.receipt, name="buyer_receipt"),
    path("wechat-card.json", share_card.show, name="wechat_card"),
    path("embed/", embed.sheet, name="embed"),
    path("embed.json", embed.about, name="embed_about"),
]

_FRIEND = [
    path("", friend.show, name="friend"),
    path("opened/", steps.opened, name="friend_opened"),
    path("step/", steps.step, name="step"),
    path("pay/", friend.pay, name="friend_pay"),
    path("decline/", friend.decline, name="friend_decline"),
    path("remind/", mail.remind, name="remind"),
    path("push/", push.remind, name="push_reminder"),
    path("remind.ics", friend.remind_file, name="remind_file"),
    path("report/", report.report, name="report"),
    path("status.json", share.status, name="status"),
    path("qr.svg", share.qr_svg, name="qr_svg"),
    path("qr.png", share.qr_png, name="qr_png"),
    path("poster.png", share.poster, name="poster"),
]

_SCANNED = [
    path("", receipt.scan, name="scan"),
    path("qr.svg", receipt.scan_qr, name="scan_qr"),
    path("more-time/", receipt.more_time, name="more_time"),
]

_PAYER = [
    path("", receipt.show, name="receipt"),
    path("check/", receipt.check, name="check"),
    path("back/", receipt.back, name="wallet_back"),
    path("mail/", mail.mail_receipt, name="receipt_mail"),
]

# Each request looks from the top: the first part of an address tells nearly all of them where they belong.
urlpatterns = [
    path("p/<slug:token>/", include(_FRIEND)),
    path("checkout/<slug:token>/", include(_BUYER)),
    path("r/<slug:token>/", include(_PAYER)),
    path("pay/<slug:token>/", include(_SCANNED)),
    path("login/", login.back, name="login_back"),
    path("mail/<slug:token>/", mail.stop, name="stop_mail"),
    path("notify/<slug:provider>/<slug:account>/", notify.notify, name="notify"),
    path("open/", share.open_code, name="open"),
    path("lang/", set_language, name="language"),
]
