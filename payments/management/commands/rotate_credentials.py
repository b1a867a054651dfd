"""Seal every stored secret with the newest key, so that the older ones can be thrown away."""

from typing import Any

from cryptography.fernet import InvalidToken
from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import Model

from friendpay.kit import vault


class Command(BaseCommand):
    help = (
        "Seal all stored secrets anew with the first of CREDENTIAL_KEYS. Then the other keys are not needed any more."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Safe to repeat and to break off, while everything runs. Fails, after all else is done, when there are secrets
        that none of the keys opens; these stay as they are.
        """
        done, lost = 0, []
        for model in apps.get_models():
            if any(field.name == "sealed" for field in model._meta.fields):
                keys = model._default_manager.exclude(sealed="").order_by("pk").values_list("pk", flat=True)
                for key in list(keys):
                    if self.reseal(model, key):
                        done += 1
                    else:
                        lost.append(f"{model._meta.verbose_name} {key}")
        self.stdout.write(f"{done} sealed with the newest key.")
        if lost:
            raise CommandError(f"No key opens {', '.join(lost)}. Add the lost key, or enter the secrets again.")

    @transaction.atomic
    def reseal(self, model: type[Model], key: Any) -> bool:
        row: Any = model._default_manager.select_for_update(of=("self",), no_key=True).get(pk=key)
        try:
            row.sealed = vault.reseal(row.sealed)
        except InvalidToken:
            return False
        row.save(update_fields=["sealed"])
        return True
