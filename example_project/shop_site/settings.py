"""Settings of the example shop: SQLite and DEBUG, unless the environment says otherwise."""

import os
from pathlib import Path

from shop_site.database import from_url, sqlite

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = os.environ.get("DEBUG", "1") == "1"
SECRET_KEY = os.environ.get("SECRET_KEY", "the-example-shop-keeps-no-secrets")
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")

ROOT_URLCONF = "shop_site.urls"
WSGI_APPLICATION = "shop_site.wsgi.application"
ASGI_APPLICATION = "shop_site.asgi.application"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "flaggate",
    "shop",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "shop.middleware.content_security_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "flaggate.middleware.FlagsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "flaggate.context_processors.flags",
                "shop.context_processors.basket",
            ],
        },
    },
]

DATABASE_URL = os.environ.get("DATABASE_URL")
DATABASE_FILE = os.environ.get("SHOP_DATABASE_FILE", str(BASE_DIR / "db.sqlite3"))
DATABASES = {"default": from_url(DATABASE_URL) if DATABASE_URL else sqlite(DATABASE_FILE)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

FLAGGATE = {"OVERRIDES": True}  # staff may see a flag for themselves

# The shop speaks English; the languages give the `germany` segment something to look at.
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "German")]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "static_root"

MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
