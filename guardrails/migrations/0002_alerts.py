"""Alert rules, alerts, channels and deliveries."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("guardrails", "0001_budgets")]
    operations: list[migrations.operations.base.Operation] = []
