"""The product's Celery app with one task more, which proves by a row in a file that a worker ran it."""

from pathlib import Path

from config.celery import app


@app.task(name="tests.append")
def append(path: str, line: str) -> None:
    """Appends a line to a file."""
    with Path(path).open("a") as file:
        file.write(f"{line}\n")
