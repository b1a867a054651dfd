"""Goods, a coupon and somebody at the desk. `manage.py shell < seed.py`."""

from datetime import timedelta
from decimal import Decimal

from django.contrib.auth import get_user_model
from django.utils import timezone
from oscar.core.loading import get_model

Country = get_model("address", "Country")
Country.objects.create(
    iso_3166_1_a2="DE",
    iso_3166_1_a3="DEU",
    iso_3166_1_numeric="276",
    printable_name="Germany",
    name="Germany",
    is_shipping_country=True,
)
kind = get_model("catalogue", "ProductClass").objects.create(name="Book", track_stock=True)
partner = get_model("partner", "Partner").objects.create(name="Harbour")
category = get_model("catalogue", "Category").add_root(name="Books")
for title, price, stock in (("A Year of Tea", "16.80", 50), ("The Harbour", "8.40", 30)):
    product = get_model("catalogue", "Product").objects.create(title=title, product_class=kind)
    get_model("catalogue", "ProductCategory").objects.create(product=product, category=category)
    get_model("partner", "StockRecord").objects.create(
        product=product,
        partner=partner,
        partner_sku=title,
        price=Decimal(price),
        num_in_stock=stock,
        price_currency="EUR",
    )
everything = get_model("offer", "Range").objects.create(name="All", includes_all_products=True)
offer = get_model("offer", "ConditionalOffer").objects.create(
    name="10% with WELCOME",
    offer_type="Voucher",
    condition=get_model("offer", "Condition").objects.create(type="Count", value=1, range=everything),
    benefit=get_model("offer", "Benefit").objects.create(type="Percentage", value=10, range=everything),
)
now = timezone.now()
voucher = get_model("voucher", "Voucher").objects.create(
    name="Welcome", code="WELCOME", usage="Multi-use", start_datetime=now, end_datetime=now + timedelta(days=99)
)
voucher.offers.add(offer)
get_user_model().objects.create_superuser("desk", "desk@shop.example", "desk")
