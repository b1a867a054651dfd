"""Django's app of the desk: the admin, with our site."""

from django.contrib.admin.apps import AdminConfig


class DeskConfig(AdminConfig):
    default_site = "friendpay.admin_kit.site.Desk"
