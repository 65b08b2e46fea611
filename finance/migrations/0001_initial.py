"""Statements, exports, invoices and exchange rates."""

from django.db import migrations


class Migration(migrations.Migration):
    initial = True
    dependencies = [("accounts", "0002_project_earlier_zones"), ("analytics", "0008_steps")]
    operations: list[migrations.operations.base.Operation] = []
