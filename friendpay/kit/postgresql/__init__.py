"""Django's PostgreSQL backend, which sees without a round trip that a lasting connection is still there."""
