"""Addresses of buyers' and friends' pages, and of the wallets' notifications."""

from django.urls import path
from django.views.i18n import set_language

from payments.pages import buyer, embed, friend, login, mail, notify, push, receipt, report, share, share_card, steps

urlpatterns = [
    path("checkout/<slug:token>/", buyer.show, name="buyer"),
    path("checkout/<slug:token>/ask/", buyer.ask, name="buyer_ask"),
    path("checkout/<slug:token>/mine/", buyer.mine, name="buyer_mine"),
    path("checkout/<slug:token>/more-time/", buyer.more_time, name="buyer_more_time"),
    path("checkout/<slug:token>/message/", buyer.message, name="buyer_message"),
    path("checkout/<slug:token>/parts/", buyer.parts, name="buyer_parts"),
    path("checkout/<slug:token>/shares/", buyer.shares, name="buyer_shares"),
    path("checkout/<slug:token>/cancel/", buyer.cancel, name="buyer_cancel"),
    path("checkout/<slug:token>/pay/", buyer.pay, name="buyer_pay"),
    path("checkout/<slug:token>/mail/", mail.tell_buyer, name="buyer_mail"),
    path("checkout/<slug:token>/push/", push.tell_buyer, name="buyer_push"),
    path("checkout/<slug:token>/thanks/", buyer.thanks, name="buyer_thanks"),
    path("checkout/<slug:token>/receipt/", buyer.receipt, name="buyer_receipt"),
    path("checkout/<slug:token>/wechat-card.json", share_card.show, name="wechat_card"),
    path("checkout/<slug:token>/embed/", embed.sheet, name="embed"),
    path("checkout/<slug:token>/embed.json", embed.about, name="embed_about"),
    path("p/<slug:token>/", friend.show, name="friend"),
    path("p/<slug:token>/opened/", steps.opened, name="friend_opened"),
    path("p/<slug:token>/step/", steps.step, name="step"),
    path("p/<slug:token>/pay/", friend.pay, name="friend_pay"),
    path("p/<slug:token>/decline/", friend.decline, name="friend_decline"),
    path("p/<slug:token>/remind/", mail.remind, name="remind"),
    path("p/<slug:token>/push/", push.remind, name="push_reminder"),
    path("p/<slug:token>/remind.ics", friend.remind_file, name="remind_file"),
    path("p/<slug:token>/report/", report.report, name="report"),
    path("p/<slug:token>/status.json", share.status, name="status"),
    path("p/<slug:token>/qr.svg", share.qr_svg, name="qr_svg"),
    path("p/<slug:token>/qr.png", share.qr_png, name="qr_png"),
    path("p/<slug:token>/poster.png", share.poster, name="poster"),
    path("login/", login.back, name="login_back"),
    path("pay/<slug:token>/", receipt.scan, name="scan"),
    path("pay/<slug:token>/qr.svg", receipt.scan_qr, name="scan_qr"),
    path("r/<slug:token>/", receipt.show, name="receipt"),
    path("r/<slug:token>/check/", receipt.check, name="check"),
    path("r/<slug:token>/back/", receipt.back, name="wallet_back"),
    path("r/<slug:token>/mail/", mail.mail_receipt, name="receipt_mail"),
    path("mail/<slug:token>/", mail.stop, name="stop_mail"),
    path("notify/<slug:provider>/<slug:account>/", notify.notify, name="notify"),
    path("open/", share.open_code, name="open"),
    path("lang/", set_language, name="language"),
]
