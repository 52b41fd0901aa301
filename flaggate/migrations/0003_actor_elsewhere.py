from copy import copy

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def drop_constraint(apps, schema_editor):
    """Drop what 0001 made before it learned that users may live in another database."""
    revision = apps.get_model("flaggate", "Revision")
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, revision._meta.db_table)
    if any(each["foreign_key"] for each in found.values()):
        without = revision._meta.get_field("actor")
        constrained = copy(without)
        constrained.db_constraint = True
        schema_editor.alter_field(revision, constrained, without)


class Migration(migrations.Migration):
    dependencies = [
        ("flaggate", "0002_exact_keys"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="revision",
            name="actor",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="actor",
            ),
        ),
        migrations.RunPython(drop_constraint, migrations.RunPython.noop, atomic=False),
    ]
