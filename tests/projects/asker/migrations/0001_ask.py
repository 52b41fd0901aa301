from django.contrib.auth.hashers import make_password
from django.db import migrations

import flaggate


def ask(apps, schema_editor):
    """Ask between two writes, before the tables of flags are there, and say what came back."""
    user = apps.get_model("auth", "User")
    user.objects.create(username="before", password=make_password(None))
    answer = flaggate.is_active("x")
    user.objects.create(username=f"answer: {answer}", password=make_password(None))


class Migration(migrations.Migration):
    dependencies = [("auth", "0012_alter_user_first_name_max_length")]
    run_before = [("flaggate", "0001_initial")]

    operations = [migrations.RunPython(ask, migrations.RunPython.noop)]
