"""What the desk asks for an account at Alipay."""

from payments.wallets.about import Credential, gettext_noop

FIELDS = {
    "app_id": Credential(gettext_noop("The application's number, 16 digits."), secret=False),
    "seller_id": Credential(gettext_noop("The merchant's partner number (PID), beginning with 2088."), secret=False),
    "private_key": Credential(
        gettext_noop("Your private key: the whole file, with its first and last line."), long=True
    ),
    "alipay_public_key": Credential(
        gettext_noop("The key Alipay shows after you uploaded yours, not your own."), secret=False, long=True
    ),
}
