"""Oscar's partners, with a tax (its guide "How to handle tax")."""

from oscar.apps.partner import apps


class PartnerConfig(apps.PartnerConfig):
    name = "shop.partner"
