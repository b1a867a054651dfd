"""Django's app of the shop's side."""

from django.apps import AppConfig
from django.contrib.postgres.indexes import OpClass
from django.db.models import OrderBy
from django.db.models.functions import Collate
from django.db.models.indexes import IndexExpression
from django.utils.translation import gettext_lazy as _


class OrdersConfig(AppConfig):
    name = "orders"
    verbose_name = _("Orders")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Indexes may name an operator class. The app of `django.contrib.postgres` would ask each new connection
        for types that we do not have.
        """
        IndexExpression.register_wrappers(OrderBy, OpClass, Collate)
