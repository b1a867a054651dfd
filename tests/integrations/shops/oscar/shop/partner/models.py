"""Oscar's."""

from oscar.apps.partner.models import *  # noqa: F403
