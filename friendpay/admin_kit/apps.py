"""Django's app of the desk: the admin, with our site. Its pages are loaded with the addresses (`friendpay/urls.py`): a
worker, which serves none, does not hold them.
"""

from django.contrib.admin.apps import SimpleAdminConfig


class DeskConfig(SimpleAdminConfig):
    default_site = "friendpay.admin_kit.site.Desk"
