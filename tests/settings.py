"""friendpay's settings for tests and tools. `tests/conftest.py` names the servers; tools such as mypy need none."""

import hashlib
import os
from pathlib import Path

_FIXED = {
    "SECRET_KEY": "a secret for tests",
    "CREDENTIAL_KEYS": "V9UMM0Rw0mIDZ0KpCVL8o0GhbiNiEFXzG3qJ7HTDM2A=",
    "PUBLIC_URL": "http://127.0.0.1:8000",
    "ALLOWED_HOSTS": "127.0.0.1,localhost",
    "FRIENDPAY_DEMO": "yes",
    "DATABASE_URL": "postgresql:///nowhere",
    "REDIS_URL": "unix:///nowhere",
    "STATIC_ROOT": str(Path(__file__).resolve().parent.parent / "static"),
}
for name, value in _FIXED.items():
    os.environ.setdefault(name, value)

from friendpay.kit import limits  # noqa: E402
from friendpay.settings import *  # noqa: E402, F403
from friendpay.settings import BASE_DIR, DATABASES, SILENCED_SYSTEM_CHECKS  # noqa: E402

limits.HEAD_START *= 0  # nothing is done in the background: a sweep does it at once

# A database of its own for every state of the migrations, so that one kept from an earlier run always fits.
_migrations = b"".join(path.read_bytes() for path in sorted(Path(BASE_DIR).glob("*/migrations/*.py")))
DATABASES["default"]["TEST"] = {"NAME": f"test_{hashlib.sha256(_migrations).hexdigest()[:12]}"}

WHITENOISE_AUTOREFRESH = True  # else each client that a test makes looks through all static files first, for 20 ms

SILENCED_SYSTEM_CHECKS += ["staticfiles.E002"]  # nothing is collected here: files are served from where they lie

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
