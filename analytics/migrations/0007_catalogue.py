"""Owner, cost centre and description of flows and features; what was done to the catalogue; names that wait."""

from pathlib import Path

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

SQL = (Path(__file__).parent / "catalogue.sql").read_text()


class Migration(migrations.Migration):
    dependencies = [("analytics", "0006_changes"), ("accounts", "0003_project_links")]
    operations = [
        migrations.AddField(
            "feature",
            "alias_of",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="aliases",
                to="analytics.feature",
            ),
        ),
        migrations.AddField("feature", "owner", models.CharField(max_length=100, blank=True, default="")),
        migrations.AddField(
            "feature", "cost_centre", models.CharField(max_length=100, blank=True, default="")
        ),
        migrations.AddField(
            "feature", "description", models.CharField(max_length=1000, blank=True, default="")
        ),
        migrations.AddField("feature", "archived_at", models.DateTimeField(null=True)),
        migrations.AddField("flow", "owner", models.CharField(max_length=100, blank=True, default="")),
        migrations.AddField("flow", "cost_centre", models.CharField(max_length=100, blank=True, default="")),
        migrations.AddField("flow", "description", models.CharField(max_length=1000, blank=True, default="")),
        migrations.AddField("flow", "archived_at", models.DateTimeField(null=True)),
        migrations.CreateModel(
            "CatalogueChange",
            [
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("actor", models.CharField(max_length=200)),
                ("action", models.CharField(max_length=60)),
                ("says", models.CharField(max_length=1000)),
                ("edits", models.JSONField(default=list)),
                ("undone_at", models.DateTimeField(null=True)),
                ("undone_by", models.CharField(blank=True, default="", max_length=200)),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="catalogue_changes",
                        to="accounts.project",
                    ),
                ),
            ],
            options={"indexes": [models.Index(fields=["project", "-id"], name="catalogue_change_newest")]},
        ),
        migrations.RunSQL(sql=SQL, reverse_sql=migrations.RunSQL.noop),
    ]
