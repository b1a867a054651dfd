"""One settings file, driven by the environment. Demo values come from bin/up alone; elsewhere a missing secret stops the boot."""

from pathlib import Path
from urllib.parse import urlsplit

from friendpay import env

BASE_DIR = Path(__file__).resolve().parent.parent

DEMO = env.flag("FRIENDPAY_DEMO")
DEBUG = False
SECRET_KEY = env.text("SECRET_KEY")
CREDENTIAL_KEYS = env.items("CREDENTIAL_KEYS")  # Fernet keys, newest first
PUBLIC_URL = env.text("PUBLIC_URL").rstrip("/")  # links and codes are made from this, never from the request
ALLOWED_HOSTS = env.items("ALLOWED_HOSTS", urlsplit(PUBLIC_URL).hostname or "")

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "friendpay",
    "orders",
    "payments",
    "sandbox",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

ROOT_URLCONF = "friendpay.urls"
ASGI_APPLICATION = "friendpay.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]


def _database(url: str) -> dict[str, object]:
    """DATABASE_URL as Django wants it: postgresql://user:password@host:port/name, or host=/socket/folder as a query."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        env.stop("DATABASE_URL must begin with postgresql://; friendpay runs on PostgreSQL alone.")
    from urllib.parse import parse_qs, unquote

    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "friendpay",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", parts.hostname or ""),
        "PORT": query.pop("port", str(parts.port or "")),
        "OPTIONS": {"connect_timeout": 5, **query},
        "CONN_MAX_AGE": None,  # one persistent connection per serving thread
        "CONN_HEALTH_CHECKS": True,
    }


DATABASES = {"default": _database(env.text("DATABASE_URL"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URLS = env.items("REDIS_URL")
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": REDIS_URLS},
    },
}

CELERY_BROKER_URL = env.text("CELERY_BROKER_URL", REDIS_URLS[0])
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]

SECURE_REFERRER_POLICY = "strict-origin"
X_FRAME_OPTIONS = "DENY"
