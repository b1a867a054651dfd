"""Ask a friend to pay, in django-oscar: at the payment step, beside whatever the shop has there already."""
