"""Sums that stay in their type, for the loader."""

from pathlib import Path

from django.db import migrations

SQL = (Path(__file__).parent / "totals.sql").read_text()


class Migration(migrations.Migration):
    dependencies = [("analytics", "0009_exchange_rates")]
    operations = [
        migrations.RunSQL(
            sql=SQL,
            reverse_sql="DROP AGGREGATE total(bigint); DROP AGGREGATE total(numeric);",
        )
    ]
