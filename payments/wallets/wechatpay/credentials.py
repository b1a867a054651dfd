"""What the desk asks for an account at WeChat Pay."""

from payments.wallets.about import Credential, gettext_noop

FIELDS = {
    "mchid": Credential(gettext_noop("The merchant number (商户号)."), secret=False),
    "appid": Credential(
        gettext_noop("The app id of the official account or mini program that is bound to the merchant."), secret=False
    ),
    # For JSAPI alone: it buys the payer's openid.
    "app_secret": Credential(gettext_noop("The app's secret. Only needed to pay inside WeChat."), optional=True),
    "serial_no": Credential(gettext_noop("The serial number of your API certificate."), secret=False),
    "private_key": Credential(
        gettext_noop("Your private key: the whole file, with its first and last line."), long=True
    ),
    "api_v3_key": Credential(gettext_noop("The APIv3 key, 32 characters.")),
    # Empty with platform certificates, which carry their own number.
    "public_key_id": Credential(
        gettext_noop("The id of WeChat Pay's public key, beginning with PUB_KEY_ID_."), secret=False, optional=True
    ),
    "public_key": Credential(
        gettext_noop("WeChat Pay's public key, or its platform certificates."), secret=False, long=True
    ),
}
