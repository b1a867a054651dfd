"""Oscar's shipping, with a price (its guide "How to configure shipping")."""

from oscar.apps.shipping import apps


class ShippingConfig(apps.ShippingConfig):
    name = "shop.shipping"
