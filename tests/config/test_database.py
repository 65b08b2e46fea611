"""The server that the tests themselves run on."""

import pytest
from django.db import connection


@pytest.mark.django_db
def test_the_database_is_postgres_18_with_statement_statistics():
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        assert int(cursor.fetchone()[0]) >= 150000
        cursor.execute("SHOW shared_preload_libraries")
        assert "pg_stat_statements" in cursor.fetchone()[0]
