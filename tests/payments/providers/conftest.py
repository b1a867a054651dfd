from tests.payments.providers.alipay_shop import alipay, alipay_account, alipay_shop
from tests.payments.providers.stripe_shop import stripe, stripe_account, stripe_shop
from tests.payments.providers.wechatpay_shop import wechatpay, wechatpay_account, wechatpay_shop

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
