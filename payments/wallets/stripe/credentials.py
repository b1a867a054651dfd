"""What the desk asks for an account at Stripe."""

from payments.wallets.about import Credential, gettext_noop

FIELDS = {
    "secret_key": Credential(gettext_noop("The API key, beginning with sk_ or rk_.")),
    "webhook_secret": Credential(gettext_noop("The endpoint's signing secret, beginning with whsec_.")),
}
