"""What the demo sells: two kinds of tickets, a voucher, a gift card, 19 percent tax in the prices, a hundred seats."""

from datetime import timedelta
from decimal import Decimal

from django.utils.timezone import now
from django_scopes import scope
from pretix.base.models import Event, Organizer, Team, User


def announce() -> Event:
    organizer = Organizer.objects.create(name="Harbour Concerts", slug="harbour", plugins="")
    person = User.objects.create_superuser("admin@localhost", "admin")
    team = Team.objects.create(
        organizer=organizer, name="All", all_events=True, all_event_permissions=True, all_organizer_permissions=True
    )
    team.members.add(person)
    with scope(organizer=organizer):
        event = Event.objects.create(
            organizer=organizer,
            name="Harbour Concert",
            slug="concert",
            currency="EUR",
            date_from=now() + timedelta(days=60),
            plugins="pretix_friendpay,by_post",
            testmode=True,
            live=True,
        )
        event.set_defaults()
        settings = {"locales": ["en", "de", "zh-hans"], "locale": "en", "timezone": "Europe/Berlin"}
        term = {"payment_term_days": 5, "payment_term_weekdays": False}  # five days whatever day today is
        for name, value in {**settings, **term, "attendee_names_asked": False}.items():
            event.settings.set(name, value)
        tax = event.tax_rules.create(name="VAT", rate=Decimal(19), price_includes_tax=True, default=True)
        category = event.categories.create(name="Tickets", position=1)
        seats = event.quotas.create(name="Seats", size=100)
        for name, price in (("Standing", "45.00"), ("Balcony", "72.50")):
            item = event.items.create(
                name=name, category=category, default_price=Decimal(price), tax_rule=tax, admission=True
            )
            seats.items.add(item)
        event.vouchers.create(code="WELCOME", max_usages=1000, price_mode="percent", value=Decimal(10))
        card = organizer.issued_gift_cards.create(currency="EUR", secret="GIFT20", testmode=True)
        card.transactions.create(value=Decimal(20), acceptor=organizer)
    return event
