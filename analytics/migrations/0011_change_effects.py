"""What changes did, as it was measured."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("analytics", "0010_totals")]
    operations: list[migrations.operations.base.Operation] = [
        migrations.CreateModel(
            name="Measured",
            fields=[
                (
                    "change",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="measured",
                        serialize=False,
                        to="analytics.change",
                    ),
                ),
                ("at", models.DateTimeField()),
                ("effects", models.JSONField(default=list)),
            ],
            options={"db_table": "change_measured"},
        ),
    ]
