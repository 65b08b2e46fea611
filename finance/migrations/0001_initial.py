"""Exports, invoices, schedules and what they did."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = [("accounts", "0002_project_earlier_zones"), ("analytics", "0009_exchange_rates")]
    operations = [
        migrations.CreateModel(
            name="Export",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("month", models.DateField()),
                ("form", models.CharField(max_length=20)),
                ("group_by", models.JSONField()),
                ("filters", models.JSONField(default=list)),
                ("taken_at", models.DateTimeField()),
                ("taken_by", models.CharField(max_length=200)),
                ("complete_until", models.DateTimeField()),
                ("waited", models.BooleanField()),
                ("currency", models.CharField(max_length=3)),
                ("rate", models.CharField(max_length=40)),
                ("total", models.CharField(max_length=120)),
                ("total_usd", models.CharField(max_length=120)),
                ("lines", models.PositiveIntegerField()),
                ("calls", models.BigIntegerField()),
                ("price_book", models.CharField(blank=True, max_length=100)),
                ("figures", models.CharField(max_length=64)),
                ("sha256", models.CharField(max_length=64)),
                ("size", models.PositiveIntegerField()),
                ("body", models.BinaryField()),
                ("cells", models.BinaryField()),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="exports",
                        to="accounts.project",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Invoice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("month", models.DateField()),
                ("provider", models.CharField(max_length=100)),
                ("amount", models.DecimalField(decimal_places=6, max_digits=20)),
                ("currency", models.CharField(default="USD", max_length=3)),
                ("dated", models.DateField()),
                ("note", models.CharField(blank=True, default="", max_length=500)),
                ("entered_by", models.CharField(max_length=200)),
                ("entered_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="invoices",
                        to="accounts.project",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Schedule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.PositiveSmallIntegerField()),
                ("form", models.CharField(max_length=20)),
                ("group_by", models.JSONField()),
                ("recipients", models.JSONField()),
                ("created_by", models.CharField(max_length=200)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("stopped_at", models.DateTimeField(null=True)),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="export_schedules",
                        to="accounts.project",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ScheduleRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("month", models.DateField()),
                ("state", models.CharField(default="waiting", max_length=10)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("tried_at", models.DateTimeField(null=True)),
                ("done_at", models.DateTimeField(null=True)),
                ("problem", models.CharField(blank=True, default="", max_length=300)),
                (
                    "export",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to="finance.export"
                    ),
                ),
                (
                    "schedule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="runs",
                        to="finance.schedule",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(fields=["project", "month", "-taken_at"], name="export_of_month"),
        ),
        migrations.AddConstraint(
            model_name="export",
            constraint=models.UniqueConstraint(fields=("project", "figures"), name="export_once"),
        ),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(fields=["project", "month"], name="invoice_of_month"),
        ),
        migrations.AddConstraint(
            model_name="schedule",
            constraint=models.CheckConstraint(
                condition=models.Q(("day__gte", 1), ("day__lte", 28)), name="schedule_day"
            ),
        ),
        migrations.AddConstraint(
            model_name="schedulerun",
            constraint=models.UniqueConstraint(fields=("schedule", "month"), name="schedule_month_once"),
        ),
    ]
