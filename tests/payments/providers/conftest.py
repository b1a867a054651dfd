from tests.payments.providers.alipay_shop import alipay, alipay_account, alipay_shop

__all__ = ["alipay", "alipay_account", "alipay_shop"]
