"""The big tables, made by SQL: partitioned, keyed by project first."""

from pathlib import Path

from django.db import migrations

SQL = (Path(__file__).parent / "ledger.sql").read_text()


class Migration(migrations.Migration):
    dependencies = [("analytics", "0001_initial")]
    operations = [migrations.RunSQL(sql=SQL, reverse_sql=migrations.RunSQL.noop)]
