"""The shop's manage.py without time and chance, so that its pages look the same each time."""

import os
import random
import runpy
import secrets
import sys

import time_machine

from tests.example_project.shop import MANAGE

MOMENT = "2026-11-25T09:30:00+00:00"

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.browser.settings"
    sys.path.insert(0, str(MANAGE.parent))
    secrets.token_bytes = random.Random(sys.argv[1]).randbytes  # of visitors and API keys
    with time_machine.travel(MOMENT, tick=False):
        runpy.run_path(str(MANAGE), run_name="__main__")
