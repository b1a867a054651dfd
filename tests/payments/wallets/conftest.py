from tests.payments.wallets.alipay.shop import alipay, alipay_account, alipay_shop
from tests.payments.wallets.stripe.shop import stripe, stripe_account, stripe_shop
from tests.payments.wallets.wechatpay.shop import wechatpay, wechatpay_account, wechatpay_shop

__all__ = [
    "alipay",
    "alipay_account",
    "alipay_shop",
    "stripe",
    "stripe_account",
    "stripe_shop",
    "wechatpay",
    "wechatpay_account",
    "wechatpay_shop",
]
