"""Budgets, where each stands, and the thresholds crossed."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = [("accounts", "0002_project_earlier_zones"), ("analytics", "0008_steps")]
    operations = [
        migrations.CreateModel(
            name="Budget",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("dimension", models.CharField(blank=True, default="", max_length=20)),
                ("value", models.CharField(blank=True, default="", max_length=200)),
                ("environment", models.CharField(blank=True, default="", max_length=100)),
                ("window", models.CharField(max_length=10)),
                ("limit", models.DecimalField(decimal_places=6, max_digits=24)),
                ("unit", models.CharField(default="USD", max_length=6)),
                ("thresholds", models.JSONField(default=list)),
                ("on", models.JSONField(default=list)),
                ("carry_over", models.BooleanField(default=False)),
                ("channels", models.JSONField(default=list)),
                ("owner", models.CharField(blank=True, default="", max_length=100)),
                ("revision", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("created_by", models.CharField(blank=True, default="", max_length=200)),
                ("changed_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("changed_by", models.CharField(blank=True, default="", max_length=200)),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="budgets",
                        to="accounts.project",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="BudgetStanding",
            fields=[
                (
                    "budget",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="standing",
                        serialize=False,
                        to="guardrails.budget",
                    ),
                ),
                ("revision", models.PositiveIntegerField()),
                ("window_start", models.DateTimeField()),
                ("window_end", models.DateTimeField()),
                ("spent", models.DecimalField(decimal_places=30, max_digits=60, null=True)),
                ("carried", models.DecimalField(decimal_places=30, default=0, max_digits=60)),
                ("unpriced_calls", models.BigIntegerField(default=0)),
                ("rest", models.DecimalField(decimal_places=30, max_digits=60, null=True)),
                ("rest_low", models.DecimalField(decimal_places=30, max_digits=60, null=True)),
                ("rest_high", models.DecimalField(decimal_places=30, max_digits=60, null=True)),
                ("forecast_at", models.DateTimeField(null=True)),
                ("days", models.PositiveIntegerField(default=0)),
                ("state", models.CharField(max_length=6)),
                ("members", models.JSONField(null=True)),
                ("complete_until", models.DateTimeField()),
                ("evaluated_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="BudgetCrossing",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("revision", models.PositiveIntegerField()),
                ("window_start", models.DateTimeField()),
                ("window_end", models.DateTimeField()),
                ("kind", models.CharField(max_length=8)),
                ("threshold", models.PositiveIntegerField()),
                ("at", models.DateTimeField()),
                ("spent", models.DecimalField(decimal_places=30, max_digits=60)),
                ("limit", models.DecimalField(decimal_places=30, max_digits=60)),
                ("unit", models.CharField(max_length=6)),
                ("quiet", models.CharField(blank=True, default="", max_length=10)),
                ("mapping", models.JSONField(null=True)),
                ("recorded_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "budget",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="crossings",
                        to="guardrails.budget",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="budget",
            constraint=models.UniqueConstraint(fields=("project", "name"), name="budget_name"),
        ),
        migrations.AddConstraint(
            model_name="budgetcrossing",
            constraint=models.UniqueConstraint(
                fields=("budget", "revision", "window_start", "kind", "threshold"),
                name="budget_crossing_once",
            ),
        ),
    ]
