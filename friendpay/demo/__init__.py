"""bin/up: PostgreSQL, Valkey and all processes on one machine, for demo and tests. Nothing of it runs in production."""
