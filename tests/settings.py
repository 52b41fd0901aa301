"""Settings of the test suite: SQLite in memory, or the database that `DATABASE_URL` names."""

from pathlib import Path
from zlib import crc32

import dj_database_url
import pymysql

BASE_DIR = Path(__file__).parent

SECRET_KEY = "only-for-tests"
ALLOWED_HOSTS = ["*"]
USE_TZ = True
TIME_ZONE = "UTC"
ROOT_URLCONF = "tests.urls"
STATIC_URL = "static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

DATABASES = {"default": dj_database_url.config(default="sqlite://:memory:")}
if "mysql" in DATABASES["default"]["ENGINE"]:
    pymysql.install_as_MySQLdb()
if "sqlite" not in DATABASES["default"]["ENGINE"]:
    # One test database for each checkout, so that two of them can be tested at the same time.
    DATABASES["default"]["TEST"] = {"NAME": f"test_flaggate_{crc32(bytes(BASE_DIR)):08x}"}

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "flaggate",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "flaggate.middleware.FlagsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "flaggate.context_processors.flags",
            ],
        },
    },
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "jinja2"],
        "OPTIONS": {"context_processors": ["flaggate.context_processors.flags"]},
    },
]

SPECTACULAR_SETTINGS = {
    "TITLE": "flaggate",
    "DESCRIPTION": "Manage feature flags: the management API.",
    "VERSION": "1",
    "SERVERS": [{"url": "/api/flags"}],
}
