from tests.payments.wallets.house.shop import account, hearer, house

__all__ = ["account", "hearer", "house"]
