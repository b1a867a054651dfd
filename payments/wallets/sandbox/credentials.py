"""What the desk asks for an account at the sandbox wallet."""

from payments.wallets.about import Credential, gettext_noop

FIELDS = {"secret": Credential(gettext_noop("Signs what the sandbox wallet tells us; any long random text."))}
