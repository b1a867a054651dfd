"""One way to ship, for 6.00 with 19% in it."""

from decimal import Decimal

from oscar.apps.shipping import methods, repository


class Post(methods.FixedPrice):
    code = "post"
    name = "Post"
    charge_excl_tax = Decimal("5.04")
    charge_incl_tax = Decimal("6.00")


class Repository(repository.Repository):
    methods = (Post(),)
