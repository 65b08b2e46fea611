"""A workbook as LibreOffice calculates it: every formula worked out again, none believed."""

import re
import shutil
import subprocess
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook

# Recalculate whatever is opened, whoever wrote it (0 = always).
SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry"><item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item></oor:items>"""
CACHED = re.compile(rb"(</f>)<v>[^<]*</v>")


def recomputed(body: bytes, folder: Path) -> list[list[object]]:
    """The cells of the first sheet after LibreOffice opened the file and calculated it.

    What the file says its formulas come to is made wrong first, so that it cannot be what comes back."""
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("soffice absent: install libreoffice-calc-nogui")
    profile = folder / "profile"
    (profile / "user").mkdir(parents=True)
    (profile / "user" / "registrymodifications.xcu").write_text(SETTINGS)
    source, out = folder / "statement.xlsx", folder / "out"
    source.write_bytes(_without_results(body))
    subprocess.run(
        [program, f"-env:UserInstallation=file://{profile}", "--headless", "--convert-to", "xlsx", "--outdir",
         str(out), str(source)],
        check=True, timeout=180, capture_output=True,
    )  # fmt: skip
    sheet = load_workbook(out / "statement.xlsx", data_only=True).active
    assert sheet is not None
    return [[cell.value for cell in line] for line in sheet]


def _without_results(body: bytes) -> bytes:
    """The workbook with 1 as the result of every formula."""
    made = BytesIO()
    with zipfile.ZipFile(BytesIO(body)) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name.startswith("xl/worksheets/"):
                content, count = CACHED.subn(rb"\1<v>1</v>", content)
                assert count
            new.writestr(name, content)
    return made.getvalue()
