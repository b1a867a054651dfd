"""What the desk asks for an account at a shop's own gateway; its address is the account's gateway."""

from payments.wallets.about import Credential, gettext_noop

FIELDS = {
    "secret": Credential(
        gettext_noop("The signing secret that your gateway has too: whsec_ and at least 32 random bytes in base64.")
    ),
    "label": Credential(
        gettext_noop("What friends read on the button. Left empty, it is the shop's name and “checkout”."),
        secret=False,
        optional=True,
    ),
}
