import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Q

from friendpay.kit.errors import Refused
from orders import access
from orders.models import Access, Merchant
from payments.books import erasure, persons
from payments.models import Payment
from payments.pages import addresses
from payments.share import receipt_numbers


class Command(BaseCommand):
    help = (
        "Export or erase what is known of one person: a buyer by her id at a shop, or whoever has a receipt or address."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["export", "erase"])
        who = parser.add_mutually_exclusive_group(required=True)
        who.add_argument("--buyer", help="the buyer's id at the shop, with --shop")
        who.add_argument("--receipt", help="a payment of hers: the number on its receipt, or pay_...")
        who.add_argument("--mail", help="the address she gave, as a buyer, a payer or a friend")
        parser.add_argument("--shop", help="the shop's id, mer_...")
        parser.add_argument("--reason", required=True, help="why, for the record; without her name")

    def handle(self, *args: Any, **options: Any) -> None:
        person, reason = self._person(options), options["reason"]
        if not person.is_known:
            raise CommandError("Nobody is known by that.")
        if options["what"] == "export":
            access.note("command", Access.Kind.PERSON, person.said, reason=reason)
            known = persons.known_of(person)
            self.stdout.write(json.dumps(known, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2))
            return
        try:
            touched = erasure.erase(person, who="command", reason=reason)
        except Refused as refused:
            raise CommandError(f"{refused.code}: {refused.message}") from refused
        self.stdout.write(f"Erased: {person.said}; {touched} rows changed. The ledger is as it was.")

    def _person(self, options: dict[str, Any]) -> persons.Person:
        if options["mail"]:
            return persons.owner_of(addresses.digest_of(options["mail"]))
        if options["receipt"]:
            text = options["receipt"]
            named = Q(public_id=text) | Q(pk=receipt_numbers.meant(text))
            payment = Payment.objects.filter(named).first()
            return persons.payer_of(payment) if payment else persons.Person()
        shop = Merchant.objects.filter(public_id=options["shop"]).first()
        if shop is None:
            raise CommandError("A buyer's id is the shop's own: name the shop with --shop mer_...")
        return persons.buyer(shop.pk, options["buyer"])
