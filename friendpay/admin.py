"""Staff logins, groups and permissions at the desk: who may sign in, and what each may do."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from friendpay.admin_kit import reasons
from friendpay.admin_kit.acts import DANGER, Act, deletes
from friendpay.admin_kit.base import Declared, ShownFilters
from friendpay.admin_kit.reauthentication import requires_password

for _model in (User, Group, TOTPDevice):
    admin.site.unregister(_model)


def _rights(group: Group) -> set[str]:
    return {f"{right.content_type.app_label}.{right.codename}" for right in group.permissions.all()}


def _is_above(user: User, other: Any) -> bool:
    """Whether this login may do something that the other may not."""
    if other.is_superuser:
        return False
    return user.is_superuser or not user.get_all_permissions() <= other.get_all_permissions()


@admin.register(User)
class StaffAdmin(UserAdmin, ShownFilters, Declared[User]):  # type: ignore[type-arg, misc]
    """Logins. A lost phone is taken off here; the next login sets up a new one.

    Nobody is deleted: what they did stays in the log. Who has left is made inactive.
    """

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = reasons.asked_by(AdminPasswordChangeForm)
    change_user_password_template = "admin/password_of_another.html"  # noqa: S105  # a template
    list_display = ("username", "first_name", "last_name", "is_staff", "is_superuser", "is_active", "last_login")
    list_filter = ("is_staff", "is_superuser", "is_active")
    readonly_fields = ("last_login", "date_joined")
    compressed_fields = False
    actions = None
    acts = {
        "reset_second_factor": Act(
            label=_("Reset the second factor"),
            rights=("otp_totp.delete_totpdevice",),
            icon="phonelink_erase",
            colour=DANGER,
            again=True,
            title=_("Reset the second factor of %(name)s"),
            text=_(
                "The phone set up so far opens nothing any more. Whoever logs in next with the password sets up a new "
                "one, so make sure that this is the right person, and change the password if in doubt."
            ),
            button=_("Reset the second factor"),
            do=lambda user, _data, _by: TOTPDevice.objects.filter(user=user).delete(),
            done=_("The second factor of %(name)s was reset."),
        )
    }

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nobody changes the login, the password or the second factor of somebody who may do more."""
        return super().has_change_permission(request, obj) and (obj is None or not _is_above(obj, request.user))

    @requires_password
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().changeform_view(request, *args, **kwargs)

    @requires_password
    def user_change_password(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().user_change_password(request, *args, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Only a superuser makes another, or gives rights one by one."""
        fixed = () if request.user.is_superuser else ("is_superuser", "user_permissions")
        return (*super().get_readonly_fields(request, obj), *fixed)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Only somebody with all rights of a group may give it to others."""
        if db_field.name == "groups" and not request.user.is_superuser:
            own = request.user.get_all_permissions()
            kwargs["queryset"] = Group.objects.filter(
                pk__in=[group.pk for group in Group.objects.all() if _rights(group) <= own]
            )
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def facts(self, user: User) -> dict[str, Any]:
        return {"name": user}

    def to_act_on(self, request: HttpRequest, object_id: str) -> User | None:
        user = super().to_act_on(request, object_id)
        return None if user is None or _is_above(user, request.user) else user


@admin.register(Group)
class StaffGroupAdmin(GroupAdmin, ShownFilters, Declared[Group]):  # type: ignore[misc]
    """Rights that several people share. Superusers change them: else who may would give them to himself."""

    acts = {
        "delete_group": deletes(
            "auth.delete_group",
            _("Delete the group"),
            _("Whoever is in it loses its rights at once. The logins stay."),
            again=True,
        )
    }

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return bool(request.user.is_superuser)

    has_add_permission = has_module_permission
    has_change_permission = has_view_permission

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return False

    @requires_password
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().changeform_view(request, *args, **kwargs)

    compressed_fields = False
    actions = None
