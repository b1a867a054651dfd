"""One settings file, driven by the environment. Demo values come from bin/up; elsewhere a missing one ends the boot."""

import re
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from psycopg.conninfo import conninfo_to_dict

from friendpay import logs
from friendpay.kit import env

BASE_DIR = Path(__file__).resolve().parent.parent

DEMO = env.flag("FRIENDPAY_DEMO")  # demo keys, the sandbox wallet, fixed logins
DEBUG = False
SECRET_KEY = env.text("SECRET_KEY") if DEMO else env.secret("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.secrets("SECRET_KEY_FALLBACKS", "")  # earlier ones, newest first, until nothing needs them
# What is kept under a digest for long (who asked for no mail, the two words of a request) must outlive SECRET_KEY.
DIGEST_KEY = env.secret("DIGEST_KEY") if env.text("DIGEST_KEY", "") else [SECRET_KEY, *SECRET_KEY_FALLBACKS][-1]
CREDENTIAL_KEYS = env.items("CREDENTIAL_KEYS")  # Fernet keys, newest first
PUBLIC_URL = env.web_address("PUBLIC_URL")  # links and codes are made from this, never from the request
_HOST = urlsplit(PUBLIC_URL).hostname or ""
_HOST = f"[{_HOST}]" if ":" in _HOST else _HOST
CELLS = bool(env.text("CELL", ""))  # whether several installations share this address
CELL = env.mark("CELL")  # what this one's links, codes and keys begin with
ALLOWED_HOSTS = [host.lower() for host in env.items("ALLOWED_HOSTS", _HOST)]
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")  # whose X-Forwarded-For and -Proto are believed
WEB_THREADS = env.number("WEB_THREADS", 2)  # pages a process serves at once, each thread on one database connection
PAYER_THREADS = env.number("PAYER_THREADS", 4)  # payers a process waits with for one wallet's server at once, likewise
METRICS_TOKEN = (
    env.secret("METRICS_TOKEN") if env.text("METRICS_TOKEN", "") else ""
)  # lets in who asks for /metrics through a proxy or from another machine

# Told by others' servers; off without them (friendpay/telemetry.py)
SENTRY_DSN = env.text("SENTRY_DSN", "")
OTEL_EXPORTER_OTLP_ENDPOINT = env.text("OTEL_EXPORTER_OTLP_ENDPOINT", "")

if DEMO and not all(env.is_local(host) for host in (_HOST, *ALLOWED_HOSTS)):
    env.stop("FRIENDPAY_DEMO is on and PUBLIC_URL or ALLOWED_HOSTS names a public host: a demo lets everybody in.")
if PUBLIC_URL.startswith("http://") and not env.is_local(_HOST):
    env.stop(f"PUBLIC_URL={PUBLIC_URL} is not encrypted: links and cookies could be read on their way. Use https.")
if not DEMO:
    env.check_hosts("ALLOWED_HOSTS", ALLOWED_HOSTS, _HOST)
for _key in CREDENTIAL_KEYS:
    try:
        Fernet(_key)
    except ValueError:
        env.stop("CREDENTIAL_KEYS holds something that is no Fernet key (32 random bytes in URL-safe base64).")

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "friendpay.admin_kit.apps.DeskConfig",  # Django's admin
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "channels",
    "friendpay",
    "friendpay.kit",
    "orders",
    "payments",
    "sandbox",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",  # of random length, so that sizes tell nothing (BREACH)
    "friendpay.kit.csp.GuardMiddleware",
    "friendpay.api.middleware.middleware",
    "friendpay.kit.languages.middleware",
    "payments.share.crawlers.middleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "friendpay.admin_kit.middleware.middleware",  # sessions, login, second factor, messages
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "friendpay.urls"
ASGI_APPLICATION = "friendpay.asgi.application"

TEMPLATES = [  # a name is looked for in the first one first
    {  # the desk and the mails
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
            "builtins": ["friendpay.kit.templatetags.people"],
        },
    },
    {  # what buyers and friends see: ten times as fast, and a name that is nowhere is an error
        "NAME": "public",
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates" / "public", BASE_DIR / "templates"],
        "OPTIONS": {"environment": "friendpay.kit.rendering.environment"},
    },
]


def _database(url: str, *, pooled: bool) -> dict[str, object]:
    """As Django wants it. Behind a pooler the next transaction may be another session's: nothing stays there."""
    options = conninfo_to_dict(url)
    return {
        "ENGINE": "friendpay.kit.postgresql",
        "NAME": options.pop("dbname", "friendpay"),
        "USER": options.pop("user", ""),
        "PASSWORD": options.pop("password", ""),
        "HOST": options.pop("host", ""),
        "PORT": options.pop("port", ""),
        "OPTIONS": {"connect_timeout": 5, "prepare_threshold": None if pooled else 0, **options},
        "DISABLE_SERVER_SIDE_CURSORS": pooled,
        "CONN_MAX_AGE": None,  # one lasting connection for each serving thread
        "CONN_HEALTH_CHECKS": True,
    }


DATABASE_URL = env.database("DATABASE_URL")
# PostgreSQL itself, for what lasts as long as a session, where DATABASE_URL leads to a pooler (pgbouncer)
DIRECT_DATABASE_URL = env.database("DIRECT_DATABASE_URL", DATABASE_URL)
DATABASES = {"default": _database(DATABASE_URL, pooled=DIRECT_DATABASE_URL != DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URLS = env.items("REDIS_URL")
if not all(url.startswith(("redis://", "rediss://", "unix://")) for url in REDIS_URLS):
    env.stop("REDIS_URL must begin with redis://, rediss:// or unix://; several are separated by commas.")
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        # redis-py would drop a subscription that was quiet for 5 s (channels_redis issue 422).
        "CONFIG": {
            "hosts": [
                {"address": url, "socket_timeout": None, "socket_connect_timeout": 1, "max_connections": 100}
                for url in REDIS_URLS
            ],
        },
    },
}

CELERY_BROKER_URL = env.text("CELERY_BROKER_URL", REDIS_URLS[0].replace("unix://", "redis+socket://", 1))
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for its broker for ever
if "redis" in CELERY_BROKER_URL:
    CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 1, "socket_connect_timeout": 1, "visibility_timeout": 300}
CELERY_TASK_PUBLISH_RETRY = False  # publishing is haste, and gives up in a second or two: the sweeps guarantee
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False  # logs.py formats its lines too
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False

LANGUAGE_CODE = "en"
LANGUAGES = [  # of the public pages, mails and share texts, each by its own name
    ("en", "English"),
    ("en-gb", "English (UK)"),
    ("zh-hans", "简体中文"),
    ("zh-hant", "繁體中文"),
    ("es", "Español"),
    ("fr", "Français"),
    ("pt-br", "Português"),
    ("ru", "Русский"),
    ("ar", "العربية"),
    ("hi", "हिन्दी"),
    ("ja", "日本語"),
    ("ko", "한국어"),
    ("id", "Bahasa Indonesia"),
    ("de", "Deutsch"),
    ("it", "Italiano"),
    ("tr", "Türkçe"),
    ("vi", "Tiếng Việt"),
    ("th", "ไทย"),
]
STAFF_LANGUAGES = ("en", "zh-hans")  # of the support desk and the API
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATIC_ROOT = env.text("STATIC_ROOT", str(BASE_DIR / "staticfiles"))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "friendpay.static.Storage"},
}
WHITENOISE_MAX_AGE = 3600  # of files whose names do not change with what is in them

LOGGING = logs.CONFIG

_ENCRYPTED = PUBLIC_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]  # behind a proxy the request itself does not know that it came by https
CSRF_COOKIE_SECURE = _ENCRYPTED
SESSION_COOKIE_SECURE = _ENCRYPTED
LANGUAGE_COOKIE_SECURE = _ENCRYPTED
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
SECURE_HSTS_SECONDS = 31_536_000 if _ENCRYPTED else 0
SECURE_REFERRER_POLICY = "strict-origin"
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # HSTS for subdomains, and
    "security.W021",  # its preload list, are for who owns the domain to decide, and hard to take back
    "security.W008",  # the proxy in front redirects http
    "models.W045",  # a constraint in SQL, which the database holds and forms need not
    "admin.E408",  # login,
    "admin.E409",  # messages
    "admin.E410",  # and sessions stand in friendpay.admin_kit.middleware
]
X_FRAME_OPTIONS = "DENY"

DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024  # of any request's body; the bridge answers 413 to more
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
PAYER_DATA_DAYS = env.number("PAYER_DATA_DAYS", 180)  # then a payer's name, cookie and network are forgotten
WEBHOOK_LOG_DAYS = env.number("WEBHOOK_LOG_DAYS", 90)  # then it is forgotten what shops were told, and answered
ACCESS_LOG_DAYS = env.number("ACCESS_LOG_DAYS", 365)  # then it is forgotten who of staff looked at personal data
API_CALLS_PER_SECOND = env.number("API_CALLS_PER_SECOND", 100)  # of each API key, on average
WEBHOOK_ALLOW_LOOPBACK = env.flag("WEBHOOK_ALLOW_LOOPBACK")  # webhooks and test accounts may call this machine
if WEBHOOK_ALLOW_LOOPBACK and not DEMO:
    env.stop("WEBHOOK_ALLOW_LOOPBACK is on: merchants could reach into this machine. It is for the demo alone.")

EMAIL_HOST = env.text("EMAIL_HOST", "")  # without one the operator's mails are in the log, and nobody else gets any
MAIL_TO_PEOPLE = bool(EMAIL_HOST) or DEMO  # whether pages ask for an address at all
EMAIL_FILE_PATH = env.text("FRIENDPAY_DATA", str(BASE_DIR / ".friendpay" / "demo")) + "/mail"  # of the demo
_MAIL_BY = "smtp" if EMAIL_HOST else "filebased" if DEMO else "console"
EMAIL_BACKEND = f"django.core.mail.backends.{_MAIL_BY}.EmailBackend"
EMAIL_PORT = env.number("EMAIL_PORT", 587)
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", default=True)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", "")
EMAIL_TIMEOUT = 10
VAPID_PRIVATE_KEY = env.text("VAPID_PRIVATE_KEY", "")  # without it no page offers to tell a browser by push
if VAPID_PRIVATE_KEY and not re.fullmatch(r"[\w-]{43}", VAPID_PRIVATE_KEY):
    env.stop("VAPID_PRIVATE_KEY is no key of 32 bytes in URL-safe base64 without padding.")
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("EMAIL_FROM", f"friendpay@{urlsplit(PUBLIC_URL).hostname}")
ADMINS = [(address, address) for address in env.items("OPERATOR_EMAILS", "")]  # told what needs the operator

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in {
        "MinimumLengthValidator": {"min_length": 12},
        "UserAttributeSimilarityValidator": {},
        "CommonPasswordValidator": {},
        "NumericPasswordValidator": {},
    }.items()
]
_ALONE = (  # what one person at the desk refunds, and the like; above it a second one has to say yes, too
    "CNY:5000,HKD:5000,TWD:20000,USD:700,EUR:650,GBP:550,CHF:650,CAD:900,AUD:1000,NZD:1100,SGD:900,"
    "JPY:100000,KRW:900000,INR:60000,THB:25000,MYR:3000,IDR:11000000,PHP:40000,VND:17000000,BRL:3500,"
    "MXN:12000,PLN:2800,SEK:7000,NOK:7000,DKK:4800,CZK:16000,HUF:250000,TRY:24000,ZAR:12000,AED:2500"
)
DESK_SECOND_PERSON_ABOVE = env.sums("DESK_SECOND_PERSON_ABOVE", _ALONE)
DESK_PASSWORD_MINUTES = env.number("DESK_PASSWORD_MINUTES", 15)  # then it is asked for again before money and keys
SESSION_COOKIE_AGE = 3600  # of the desk: it ends after an hour in which nothing was done
SESSION_COOKIE_SAMESITE = "Lax"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # a new API key is never put into a cookie
LOGIN_REDIRECT_URL = "admin:index"  # nobody else logs in
OTP_TOTP_ISSUER = "friendpay"
UNFOLD = {  # how the support desk looks; what is on it belongs to the apps
    "SITE_TITLE": "friendpay",
    "SITE_HEADER": "friendpay",
    "SITE_SYMBOL": "volunteer_activism",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "payments.admin.work.icon"}],
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "COLORS": {
        "primary": {  # the pages' green, from paper to ink
            str(weight): f"oklch({light}% {vivid} 158)"
            for weight, light, vivid in (
                (50, 98, 0.018),
                (100, 95, 0.04),
                (200, 90.5, 0.075),
                (300, 84, 0.115),
                (400, 73, 0.135),
                (500, 62, 0.13),
                (600, 51, 0.115),
                (700, 44, 0.1),
                (800, 38, 0.083),
                (900, 33, 0.068),
                (950, 23, 0.048),
            )
        }
    },
    "ENVIRONMENT": "payments.admin.work.environment",
    "DASHBOARD_CALLBACK": "payments.admin.work.front_page",
    "STYLES": ["payments.admin.work.stylesheet"],
    "SCRIPTS": ["payments.admin.work.script"],
    "SIDEBAR": {"navigation": "payments.admin.work.menu"},
}
