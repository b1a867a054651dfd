"""Audit log of logins: sign-ins, wrong passwords and second factors, in the login's history and in the server's log."""

import logging
from typing import cast

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_noop

from friendpay.kit.networks import network_of

logger = logging.getLogger(__name__)

CAME_IN = gettext_noop("Came in.")
PASSWORD_RIGHT = gettext_noop("The password was right.")
PASSWORD_AGAIN = gettext_noop("The password was given again.")
PASSWORD_CHANGED = gettext_noop("The password was changed.")
WRONG_PASSWORD = gettext_noop("A wrong password was given.")
LOCKED_OUT = gettext_noop("There were too many wrong passwords; this one was not looked at.")
WRONG_CODE = gettext_noop("A wrong code was given.")
ENROLLED = gettext_noop("A phone was set up as the second factor.")


def write(request: HttpRequest, what: "str | Promise", user: User | None = None) -> None:
    """Say what happened to the login of `user`, by default whoever is logged in. The network is a digest of its own, by
    which entries are compared; no address is kept.
    """
    user = user or cast(User, request.user)
    network = network_of(request)[:8]
    logger.info("desk: %s %s Network %s.", user, what, network)
    LogEntry.objects.create(
        user=user,
        content_type=ContentType.objects.get_for_model(User),
        object_id=str(user.pk),
        object_repr=str(user),
        action_flag=CHANGE,
        change_message=f"{what} ({network})",
    )


def write_failure(request: HttpRequest, what: str, username: str) -> None:
    """The same for a login that may not exist: of one that does not, the server's log alone tells."""
    if user := User.objects.filter(username=username).first():
        write(request, what, user)
    else:
        logger.info("desk: an unknown login. %s Network %s.", what, network_of(request)[:8])
