"""Take the screenshots of the documentation, docs/images/*.png, from real runs in a project made for that.

    python docs/screenshots.py <101_ObjectCategories.tar of Caltech-101> [--only label_page] [--keep FOLDER]

Takes some minutes, and Chromium. A run on photos of 24 classes, beside a random choice, gives the report; a run that
people label, with photos of six classes, gives the page to label on.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path, PurePosixPath

import pandas as pd
from PIL import Image

ROOT = Path(__file__).parents[1]
IMAGES = Path(__file__).parent / "images"
sys.path.insert(0, str(ROOT / "tests"))

from support.browser import Browser  # noqa: E402

ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1"}
CLASSES = ["butterfly", "helicopter", "kangaroo", "laptop", "llama", "starfish"]
MOST = 70  # photos of a class
LARGEST = 150_000  # bytes of a screenshot
RANDOM = "run.name=random,query.start=random,query.strategy=top,query.measure=random"
RUN = "cycles.number=5,cycles.budget=24"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("tar", type=Path)
    arguments.add_argument("--only", choices=["label_page", "report"])
    arguments.add_argument("--keep", type=Path, help="make the project here, and use what is there")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        project = options.keep or Path(temporary)
        lay_out(project)
        if options.only != "report":
            unpack(options.tar, project)
            label_page(project)
        if options.only != "label_page":
            report(options.tar, project)


def lay_out(project: Path) -> None:
    """Make a project whose code and settings are this one's, and whose data are its own."""
    project.mkdir(parents=True, exist_ok=True)
    for name in ("conf", "pyproject.toml"):
        if not (project / name).exists():
            (project / name).symlink_to(ROOT / name)
    for name in ("data", "src"):  # the code is found by PYTHONPATH
        (project / name).mkdir(exist_ok=True)


def unpack(archive: Path, project: Path) -> None:
    """Write photos of some classes into one folder, named as a camera does, and a table of what they show."""
    counts = dict.fromkeys(CLASSES, 0)
    rows = []
    (project / "photos").mkdir(exist_ok=True)
    with tarfile.open(archive) as tar:
        for member in sorted(tar.getmembers(), key=lambda one: hashlib.sha256(one.name.encode()).digest()):
            path = PurePosixPath(member.name)
            kind = path.parent.name
            if not member.isfile() or path.suffix != ".jpg" or counts.get(kind, MOST) >= MOST:
                continue
            counts[kind] += 1
            rows.append((f"IMG_{len(rows) + 1:04d}.jpg", kind))
            (project / "photos" / rows[-1][0]).write_bytes(tar.extractfile(member).read())
    pd.DataFrame(rows, columns=["id", "label"]).to_csv(project / "truth.csv", index=False)


def kedro(project: Path, *arguments: str) -> None:
    """Type a command; a run that waits for people has succeeded."""
    done = subprocess.run([sys.executable, "-m", "kedro", *arguments], cwd=project, env=ENVIRONMENT, check=False)
    if done.returncode not in (0, 75):
        raise SystemExit(f"kedro {' '.join(arguments)} ended with {done.returncode}")


def label_page(project: Path) -> None:
    """Answer two queries by what the photos show, and take the page as it shows the third."""
    settings = f"run.name=mine,pool.source.path=photos,oracle.classes={'/'.join(CLASSES)},{RUN}"
    run = ("run", "--pipelines=active_learning", "--env=people", f"--params={settings}")
    truth = pd.read_csv(project / "truth.csv").set_index("id")["label"]
    kedro(project, *run)
    for number in range(2):
        query = project / f"query_{number}.csv"
        query.unlink(missing_ok=True)
        kedro(project, "answers", "write", str(query), "--run=mine")
        table = pd.read_csv(query)
        table["label"] = table["id"].map(truth)
        table.to_csv(query, index=False)
        kedro(project, "answers", "read", str(query), "--run=mine", "--annotator=ada")
        kedro(project, *run)
    command = [sys.executable, "-m", "kedro", "label", "--run=mine"]
    server = subprocess.Popen(command, cwd=project, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)
    try:
        address = next(word for line in server.stdout for word in line.split() if word.startswith("http://"))
        with Browser(1280, 800) as page:
            page.open(address)
            page.until("document.readyState === 'complete'")
            page.until("document.querySelector('#name').open")
            page.run("document.querySelector('#annotator').focus()")
            page.type("Ada")
            page.press("Enter")
            for _ in range(5):
                time.sleep(1)
                page.press("Enter")  # as the model takes it
            time.sleep(2)
            save(page, "label_page")
    finally:
        server.terminate()
        server.wait()


def report(archive: Path, project: Path) -> None:
    """Choose at random, then as recommended, on 24 classes, and take the top of the report."""
    classes = project / "classes"
    if not classes.exists():
        command = [sys.executable, str(ROOT / "data" / "make_caltech101_photos.py"), str(archive), str(classes)]
        subprocess.run(command, env=ENVIRONMENT, check=True)
    common = f"pool.source.path=classes,{RUN}"
    kedro(project, "run", "--pipelines=cell", f"--params={RANDOM},{common}")
    kedro(project, "run", "--pipelines=active_learning", f"--params=run.name=photos,{common}")
    with Browser(1280, 900) as page:
        page.open((project / "data/08_reporting/photos/report.html").resolve().as_uri())
        page.until("document.readyState === 'complete'")
        time.sleep(1)
        save(page, "report")


def save(page: Browser, name: str) -> None:
    """Write a screenshot with as many colours as it may have bytes for."""
    target = IMAGES / f"{name}.png"
    page.picture(target)
    picture = Image.open(target).convert("RGB")
    for colours in (256, 128, 64, 32):
        picture.quantize(colours, dither=Image.Dither.NONE).save(target, optimize=True)
        if target.stat().st_size < LARGEST:
            return
    raise SystemExit(f"{target} is larger than {LARGEST} bytes")


if __name__ == "__main__":
    main()
