"""The embedded server: it starts anywhere, keeps what was committed, and is found again."""

import os
import shutil
import signal
from pathlib import Path

import psycopg
import pytest

from config import binaries
from config.failure import StartError
from config.postgres import Cluster, home_of, running_url
from config.processes import is_running

IS_ROOT = os.geteuid() == 0


def ask(url: str, statement: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(statement).fetchone()
    return row and row[0]


@pytest.fixture
def running(cluster):
    if not cluster.is_running():
        cluster.start()
    return cluster


def test_a_start_gives_a_url_that_answers(running):
    assert ask(running.url, "SELECT current_database()") == "flowledger"


def test_the_path_may_contain_a_space(running):
    assert " " in str(ask(running.url, "SHOW data_directory"))


def test_the_server_listens_on_no_network_address(running):
    assert ask(running.url, "SHOW listen_addresses") == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_connections", "200"),
        ("jit", "off"),
        ("max_wal_size", "2GB"),
        ("max_locks_per_transaction", "256"),
    ],
)
def test_the_settings_of_the_product_hold(running, name, value):
    assert ask(running.url, f"SHOW {name}") == value


def test_what_an_operator_sets_wins_over_ours(running):
    ask_nothing = "ALTER SYSTEM SET work_mem = '48MB'"
    with psycopg.connect(running.url, autocommit=True) as connection:
        connection.execute(ask_nothing)
    running.stop()
    running.start()
    assert ask(running.url, "SHOW work_mem") == "48MB"


def test_sorting_does_not_depend_on_the_system(running):
    found = ask(running.url, "SELECT string_agg(v, '' ORDER BY v) FROM unnest(ARRAY['b','B','a','ä']) AS v")
    assert found == "Babä"


def test_a_stop_leaves_no_process_and_no_socket(running):
    pid, sockets = running.pid, running.sockets
    running.stop()
    assert not is_running(pid)
    assert not sockets.exists()


def test_a_server_that_runs_already_is_adopted(running):
    second = Cluster(data=running.data, fsync=False)
    assert second.start() == running.url
    assert second.adopted
    assert second.pid == running.pid


def test_an_adopted_server_can_be_stopped(running):
    second = Cluster(data=running.data, fsync=False)
    second.start()
    second.stop()
    assert not running.is_running()


def test_a_killed_server_comes_back_with_what_was_committed_and_at_the_same_address(running):
    with psycopg.connect(running.url, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = on")  # the tests' server is set to forget
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    url = running.url
    os.kill(running.pid, signal.SIGKILL)
    while running.is_running():
        pass
    assert running.start() == url
    assert ask(url, "SELECT count(*) FROM kept") == 1000


def test_commands_beside_the_server_find_its_url(running):
    assert running_url(running.data) == running.url
    running.stop()
    assert running_url(running.data) is None


def test_a_folder_of_another_version_stops_the_start_with_a_sentence(running):
    running.stop()
    version = running.folder / "PG_VERSION"
    kept = version.read_text()
    version.write_text("14\n")
    try:
        with pytest.raises(
            StartError, match=r"made by PostgreSQL 14, and this release brings 18: set FLOWLEDGER"
        ):
            running.start()
    finally:
        version.write_text(kept)


def test_a_start_cut_off_while_the_database_was_made_is_repeated(open_folder):
    data = open_folder / "cut off"
    home = home_of(data, binaries.database_account())
    (home / "data.new").mkdir()
    (home / "data.new" / "PG_VERSION").write_text("18\n")
    cluster = Cluster(data=data, fsync=False, mortal=True)
    assert ask(cluster.start(), "SELECT 1") == 1
    cluster.stop()


def test_a_very_long_path_works_and_a_folder_the_service_account_cannot_enter(closed_folder):
    data = closed_folder / ("long" * 30) / ("longer" * 20)
    closed_folder.mkdir()
    cluster = Cluster(data=data, fsync=False, mortal=True)
    try:
        assert ask(cluster.start(), "SELECT 1") == 1
        assert (binaries.SYSTEM_HOME in cluster.home.parents) == IS_ROOT
        assert home_of(data, cluster.account) == cluster.home
    finally:
        cluster.stop()
        if binaries.SYSTEM_HOME in cluster.home.parents:
            shutil.rmtree(cluster.home)


def test_a_server_that_cannot_start_says_why_in_one_sentence(open_folder):
    cluster = Cluster(data=open_folder / "broken", fsync=False, mortal=True)
    cluster.start()
    cluster.stop()
    cluster.folder.joinpath("postgresql.conf").open("a").write("shared_buffers = 'much'\n")
    with pytest.raises(
        StartError, match=r"^Postgres could not start on .*broken.*(shared_buffers|configuration)"
    ):
        cluster.start()


def test_an_ordinary_user_runs_it_too(open_folder, as_other_user):
    data = open_folder / "other"
    data.mkdir()
    data.chmod(0o777)

    def run() -> str:
        cluster = Cluster(data=data, fsync=False, mortal=True)
        try:
            return f"{ask(cluster.start(), 'SELECT session_user')} {cluster.home.relative_to(data)}"
        finally:
            cluster.stop()

    assert as_other_user(run) == "flowledger postgres"


def test_another_user_of_the_machine_is_not_let_in(running, as_other_user):
    told = as_other_user(lambda: str(ask(running.url, "SELECT 1")))
    assert told.startswith("OperationalError")


def test_a_socket_open_to_all_still_lets_nobody_else_in(running, as_other_user):
    running.sockets.chmod(0o711)
    assert "Peer authentication failed" in as_other_user(lambda: str(ask(running.url, "SELECT 1")))


def test_a_tree_without_a_way_in_is_noticed(tmp_path):
    nobody = binaries.Account("nobody", 65534, 65534)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    assert not nobody.can_enter(closed)
    assert nobody.can_enter(Path("/usr/bin"))
