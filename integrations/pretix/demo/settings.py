"""A pretix for trying the plugin: pretix's own settings, with what a single machine without mail server wants."""

from pretix.settings import *  # noqa: F403
from pretix.settings import DATABASES, INSTALLED_APPS, PLUGINS

EMAIL_BACKEND = EMAIL_CUSTOM_SMTP_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
PLUGINS.append("by_post")
INSTALLED_APPS.append("by_post")

# SQLite refuses at once ("database is locked") what has read and then wants to write while another writes. What is to
# write from its first moment on waits in line.
DATABASES["default"]["OPTIONS"] |= {
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL",
    "timeout": 60,
}


class _NoMigrations:
    """The tables are made as pretix's own tests make them: at once, instead of in four hundred steps."""

    def __contains__(self, app: str) -> bool:
        return True

    def __getitem__(self, app: str) -> None:
        return None


MIGRATION_MODULES = _NoMigrations()
