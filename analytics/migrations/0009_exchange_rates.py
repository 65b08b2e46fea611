"""Exchange rates; and an index that finds the calls of a month that came late."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

# Block ranges, a few kB a partition: calls lie in the order of their arrival, so late ones lie together.
CALL_RECEIVED = "CREATE INDEX call_received ON call USING brin (received_at) WITH (pages_per_range = 32, autosummarize = on)"


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_project_earlier_zones"), ("analytics", "0008_steps")]
    operations = [
        migrations.CreateModel(
            name="ExchangeRate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("day", models.DateField()),
                ("per_usd", models.DecimalField(decimal_places=12, max_digits=24)),
                ("note", models.CharField(blank=True, default="", max_length=200)),
                ("entered_by", models.CharField(max_length=200)),
                ("entered_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="exchange_rates",
                        to="accounts.project",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="exchangerate",
            constraint=models.UniqueConstraint(
                fields=("project", "currency", "day"), name="exchange_rate_day"
            ),
        ),
        migrations.AddConstraint(
            model_name="exchangerate",
            constraint=models.CheckConstraint(
                condition=models.Q(("per_usd__gt", 0)), name="exchange_rate_positive"
            ),
        ),
        migrations.RunSQL(CALL_RECEIVED, "DROP INDEX call_received"),
    ]
