"""The support desk's pages of orders."""

from typing import cast

from django.contrib import admin

from friendpay.admin_kit.site import Desk
from orders import scope
from orders.admin import (  # noqa: F401  # importing registers
    access,
    api_call,
    delivery,
    event,
    key,
    merchant,
    order,
    people,
    webhook,
)

cast(Desk, admin.site).shops_of = scope.shops_of
