"""Staff: who may come to the desk, and what each may do there."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.checks import ModelAdminChecks
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.admin import ModelAdmin
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from orders.admin.confirm import confirm

for _model in (User, Group, TOTPDevice):
    admin.site.unregister(_model)


@admin.register(User)
class StaffAdmin(UserAdmin, ModelAdmin):  # type: ignore[type-arg]
    """Logins. A lost phone is taken off here; the next login sets up a new one.

    Nobody is deleted: what they did stays in the log. Who has left is made inactive.
    """

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "first_name", "last_name", "is_staff", "is_superuser", "is_active", "last_login")
    list_filter = ("is_staff", "is_superuser", "is_active")
    readonly_fields = ("last_login", "date_joined")
    compressed_fields = False
    actions = None
    actions_detail = ("reset_second_factor",)
    checks_class = ModelAdminChecks  # Unfold's own asks the database for permissions, before there is any

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    @action(
        description=_("Reset the second factor"),
        url_path="reset-second-factor",
        permissions=["otp_totp.delete_totpdevice"],
        icon="phonelink_erase",
        variant=ActionVariant.DANGER,
    )
    def reset_second_factor(self, request: HttpRequest, object_id: str) -> HttpResponse:
        user = self.get_object(request, object_id)
        if user is None:
            return HttpResponseRedirect(reverse("admin:auth_user_changelist"))

        def do(_data: dict[str, Any]) -> str:
            TOTPDevice.objects.filter(user=user).delete()
            return gettext("The second factor of %(name)s was reset.") % {"name": user}

        return confirm(
            self,
            request,
            user,
            do,
            title=gettext("Reset the second factor of %(name)s") % {"name": user},
            text=gettext(
                "The phone set up so far opens nothing any more. Whoever logs in next with the password sets up a new "
                "one, so make sure that this is the right person, and change the password if in doubt."
            ),
            button=gettext("Reset the second factor"),
        )


@admin.register(Group)
class StaffGroupAdmin(GroupAdmin, ModelAdmin):
    """Rights that several people share."""

    compressed_fields = False
    actions = None
