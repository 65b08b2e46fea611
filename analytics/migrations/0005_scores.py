"""Scores: their definitions as ordinary models, the scores and their rollups by SQL."""

from pathlib import Path

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

SQL = (Path(__file__).parent / "scores.sql").read_text()


class Migration(migrations.Migration):
    dependencies = [("analytics", "0004_coarse_rollups")]
    operations: list[migrations.operations.base.Operation] = [
        migrations.CreateModel(
            name="ScoreDefinition",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                ("kind", models.CharField(max_length=20)),
                ("low", models.DecimalField(decimal_places=15, max_digits=30, null=True)),
                ("high", models.DecimalField(decimal_places=15, max_digits=30, null=True)),
                ("good", models.CharField(default="up", max_length=4)),
                ("threshold", models.DecimalField(decimal_places=15, max_digits=30, null=True)),
                (
                    "labels",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200), default=list
                    ),
                ),
                (
                    "passing",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200), default=list
                    ),
                ),
                ("target", models.CharField(default="call", max_length=10)),
                ("source", models.CharField(default="user", max_length=20)),
                ("description", models.CharField(blank=True, max_length=500)),
                ("first_seen_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("confirmed_at", models.DateTimeField(null=True)),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="scores",
                        to="accounts.project",
                    ),
                ),
            ],
            options={
                "db_table": "score_definition",
                "constraints": [models.UniqueConstraint(fields=("project", "name"), name="score_name")],
            },
        ),
        migrations.CreateModel(
            name="FlowQuality",
            fields=[
                (
                    "flow",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="quality",
                        serialize=False,
                        to="analytics.flow",
                    ),
                ),
                (
                    "score",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="primary_of",
                        to="analytics.scoredefinition",
                    ),
                ),
            ],
            options={"db_table": "flow_quality"},
        ),
        migrations.RunSQL(
            sql=SQL,
            reverse_sql="DROP TABLE scorer, score, outcome, score_bucket, score_day, sign_bucket, sign_day;"
            " DROP FUNCTION score_passes, score_bin; ALTER TABLE run DROP COLUMN signs, DROP COLUMN trace_signs",
        ),
    ]
