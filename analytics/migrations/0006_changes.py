"""The change ledger: changes and their flows as ordinary models, the first call of each series by SQL."""

from pathlib import Path

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

SQL = (Path(__file__).parent / "changes.sql").read_text()


class Migration(migrations.Migration):
    dependencies = [("analytics", "0005_scores")]
    operations: list[migrations.operations.base.Operation] = [
        migrations.CreateModel(
            name="Change",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=20)),
                ("environment", models.CharField(blank=True, max_length=200)),
                ("subject", models.CharField(blank=True, max_length=200)),
                ("before", models.CharField(max_length=400, null=True)),
                ("after", models.CharField(max_length=400, null=True)),
                ("at", models.DateTimeField()),
                ("by", models.CharField(max_length=200)),
                ("link", models.CharField(blank=True, max_length=1000)),
                ("note", models.CharField(blank=True, max_length=2000)),
                ("noticed", models.BooleanField(default=False)),
                ("first_call_at", models.DateTimeField(null=True)),
                ("recorded_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("key", models.CharField(max_length=220, null=True)),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="changes",
                        to="accounts.project",
                    ),
                ),
            ],
            options={
                "db_table": "change",
                "indexes": [models.Index(fields=["project", "-at", "-id"], name="change_by_time")],
                "constraints": [models.UniqueConstraint(fields=("project", "key"), name="change_once")],
            },
        ),
        migrations.CreateModel(
            name="ChangeFlow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                ("environment", models.CharField(blank=True, max_length=200)),
                ("first_call_at", models.DateTimeField(null=True)),
                ("told", models.BooleanField(default=False)),
                ("seen_subject", models.CharField(blank=True, max_length=200)),
                ("seen_before", models.CharField(max_length=400, null=True)),
                ("seen_after", models.CharField(max_length=400, null=True)),
                (
                    "change",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="on_flows",
                        to="analytics.change",
                    ),
                ),
            ],
            options={
                "db_table": "change_flow",
                "indexes": [models.Index(fields=["name", "change"], name="change_of_flow")],
                "constraints": [
                    models.UniqueConstraint(fields=("change", "name", "environment"), name="change_flow_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="PriceMark",
            fields=[
                (
                    "project",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="accounts.project",
                    ),
                ),
                ("version", models.CharField(max_length=200)),
            ],
            options={"db_table": "change_price_mark"},
        ),
        migrations.RunSQL(sql=SQL, reverse_sql="DROP TABLE sighting"),
    ]
