"""A plugin of pretix, for the demo alone."""

from pretix.base.plugins import PluginConfig


class ByPost(PluginConfig):
    default = True
    name = "by_post"
    verbose_name = "Tickets by post"

    class PretixPluginMeta:
        name = "Tickets by post"
        author = "friendpay"
        category = "FEATURE"
        version = "1.0.0"
        description = "Adds 6.00 for shipping."

    def ready(self) -> None:
        from by_post import signals  # noqa: F401
