"""`manage.py doctor`: looks at all that friendpay needs, and says of each what is wrong and what mends it."""
