import os

from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop_site.settings")

# For a demo; in production, a web server or WhiteNoise serves static files.
application = ASGIStaticFilesHandler(get_asgi_application())
