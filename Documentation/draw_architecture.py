"""Draw the way of an image through the library, and the rooms: ``python Documentation/draw_architecture.py``.

Writes ``architecture.svg`` beside this file, or what is given. Rooms and their order are those of the
contract in ``pyproject.toml``; every function and class named is looked up in its file. What is not
there any more is told, and nothing is drawn.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from html import escape
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

REPOSITORY = Path(__file__).resolve().parents[1]
LIBRARY = REPOSITORY / "CMROrientLib"


@dataclass(frozen=True)
class Step:
    """One step on the way of an image.

    Parameters
    ----------
    verb, told:
        What happens.
    place:
        The file and what is called there, ``room/module.py name``.
    hands_on:
        What the next step gets; a class where it begins with a capital.
    """

    verb: str
    told: str
    place: str
    hands_on: str

    @property
    def room(self) -> str:
        """The room that the step is done in; a module of the core is its own."""
        return self.place.split("/")[0].split(".")[0]


STEPS = (
    Step("find", "walk folders, sort DICOM files into series", "io/find.py find", "ImageFiles, one an image"),
    Step("plan", "masks, decisions of a person, places of the outputs", "run/plan.py plan_run", "PlannedImage"),
    Step("read", "by the format's own folder, values raw", "io/read_write.py read_source", "Volume with Metadata"),
    Step(
        "recognize",
        "turned copies of each slice, whole and cropped",
        "recognition/recognizer.py Recognizer",
        "log-probabilities",
    ),
    Step(
        "decide",
        "how sure? a short axis? does the header agree?",
        "recognition/decision.py confidence",
        "Recognition",
    ),
    Step("correct", "turn the pixels by p, the directions by g", "correction.py correction_of", "Volume, Correction"),
    Step("write", "in the same format, whole or not at all", "io/read_write.py write_source", "files with checksums"),
    Step(
        "record",
        "kept as it comes, so that a run can go on",
        "run/store.py Store",
        "Record, Thumbnails; JSON lines and CSV",
    ),
    Step("page", "one HTML file, what needs a person first", "report/page.py write_report", "cmrorient.html"),
)

#: Steps that a worker process does for one image, and where a volume from Slicer comes in and goes out.
WORKED = ("read", "write")
FROM_SLICER, TO_SLICER = "recognize", "correct"

ROOMS = {
    "cli": "one file a command: parse and tell",
    "benchmark": "how fast, and what of it where",
    "training": "recipe, data, trainer",
    "demo": "a synthetic study",
    "folders": "correct_folder: a run and its page",
    "audit": "headers and pixels",
    "restore": "the way back",
    "report": "the page of a run",
    "mrml": "Slicer's nodes to volumes and back",
    "run": "options, plan, workers, store, record",
    "transforms": "for MONAI and torchio",
    "recognition": "networks, inference, decision, models",
    "adapters": "images of other libraries",
    "io": "find, read, write; a folder a format",
    "phantom": "the synthetic heart",
    "correction": "what is turned by what",
    "volume": "pixels and their grid",
    "metadata": "what a file says beside them",
    "slice_order": "base or apex first",
    "orientation": "the eight classes",
    "errors": "",
    "pictures": "",
    "progress": "",
    "i18n": "",
    "order_statistics": "",
}

#: Modules of the contract that are no rooms: ways in.
DOORS = {"__main__", "slicer_cli"}

COLOURS = {
    "cli": "#e7e5e4",
    "training": "#f5f5f4",
    "demo": "#f5f5f4",
    "folders": "#e7e5e4",
    "audit": "#f5f5f4",
    "restore": "#f5f5f4",
    "report": "#fde8d7",
    "mrml": "#f3e8ff",
    "run": "#fef3c7",
    "transforms": "#dbeafe",
    "recognition": "#dbeafe",
    "adapters": "#dcfce7",
    "io": "#dcfce7",
    "phantom": "#f5f5f4",
}
CORE_COLOUR = "#fce7f3"
INK, FAINT = "#1c1917", "#6b6560"

WIDTH, TOP = 1120, 40
STEP_X, STEP_WIDTH, STEP_HEIGHT, STEP_GAP = 246, 450, 62, 34
HOUSE_X, HOUSE_WIDTH, FLOOR_HEIGHT, FLOOR_GAP = 752, 348, 54, 8
DOOR_X, DOOR_WIDTH = 20, 180


def layers() -> list[list[str]]:
    """The rooms of the contract from top to bottom, those of one layer together."""
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    (contract,) = (contract for contract in settings["contracts"] if contract["type"] == "layers")
    named = [[name.strip(" ()") for name in layer.split("|")] for layer in contract["layers"]]
    return [layer for layer in named if not DOORS & set(layer)]


def mistakes() -> list[str]:
    """What the picture would say and the tree does not."""
    rooms = [room for layer in layers() for room in layer]
    found = [f"{room} is a layer and not in the picture" for room in rooms if room not in ROOMS]
    found += [f"{room} is in the picture and no layer" for room in ROOMS if room not in rooms]
    for step in STEPS:
        file, name = step.place.split()
        names = _defined(LIBRARY / file)
        if name not in names:
            found.append(f"{step.place}: {'there is no such name' if names else 'there is no such file'}")
    return found


def _defined(path: Path) -> set[str]:
    if not path.is_file():
        return set()
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


class Drawing:
    """Lines of SVG."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def box(self, x: float, y: float, width: float, height: float, fill: str, dashed: bool = False) -> None:
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        self.parts.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6" fill="{fill}" stroke="#a8a29e"{dash}/>'
        )

    def text(self, x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> None:
        self.parts.append(f'<text x="{x}" y="{y}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>')

    def arrow(self, *points: tuple[float, float]) -> None:
        path = " ".join(f"{'M' if n == 0 else 'L'}{x} {y}" for n, (x, y) in enumerate(points))
        self.parts.append(f'<path d="{path}" fill="none" stroke="{INK}" stroke-width="1.4" marker-end="url(#end)"/>')


def step_y(verb: str) -> float:
    """The upper edge of a step's box."""
    place = [step.verb for step in STEPS].index(verb)
    return TOP + 28 + place * (STEP_HEIGHT + STEP_GAP)


def draw() -> str:
    """The picture as SVG."""
    drawing = Drawing()
    _draw_steps(drawing)
    _draw_doors(drawing)
    _draw_house(drawing)
    height = step_y(STEPS[-1].verb) + STEP_HEIGHT + 46
    words = "; ".join(f"{step.verb} ({step.place}) hands on {step.hands_on}" for step in STEPS)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="{escape(f"The way of an image: {words}.")}">\n'
        '<defs><marker id="end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0L8 4L0 8z" fill="{INK}"/></marker></defs>\n'
        "<style>text{font:13px system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;"
        f"fill:{INK}}}.head{{font-size:15px;font-weight:600}}.verb{{font-size:15px;font-weight:600}}"
        f".code{{font:12px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace}}.faint{{fill:{FAINT}}}"
        f".on{{font-style:italic;fill:{FAINT}}}</style>\n"
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="#ffffff"/>\n' + "\n".join(drawing.parts) + "\n</svg>\n"
    )


def _draw_steps(drawing: Drawing) -> None:
    line = STEP_X + 70
    drawing.text(STEP_X, TOP, "The way of an image", "head")
    first, last = (step_y(verb) for verb in WORKED)
    drawing.box(STEP_X - 14, first - 7, STEP_WIDTH + 28, last - first + STEP_HEIGHT + 14, "#fafaf9", dashed=True)
    drawing.text(
        STEP_X + STEP_WIDTH,
        step_y(FROM_SLICER) + STEP_HEIGHT + 22,
        "run/work.py: one image, in a worker",
        "faint",
        "end",
    )
    for step in STEPS:
        y = step_y(step.verb)
        drawing.box(STEP_X, y, STEP_WIDTH, STEP_HEIGHT, COLOURS.get(step.room, CORE_COLOUR))
        drawing.text(STEP_X + 14, y + 25, step.verb, "verb")
        drawing.text(STEP_X + 104, y + 25, step.told)
        drawing.text(STEP_X + 104, y + 47, step.place.replace(" ", "  "), "code")
        if step is not STEPS[-1]:
            drawing.arrow((line, y + STEP_HEIGHT), (line, y + STEP_HEIGHT + STEP_GAP - 1))
        drawing.text(line + 12, y + STEP_HEIGHT + 22, step.hands_on, "on")


def _draw_doors(drawing: Drawing) -> None:
    drawing.text(DOOR_X, TOP, "Who asks for it", "head")
    edge = DOOR_X + DOOR_WIDTH

    def door(y: float, name: str, place: str, fill: str) -> None:
        drawing.box(DOOR_X, y, DOOR_WIDTH, STEP_HEIGHT, fill)
        drawing.text(DOOR_X + 12, y + 25, name, "verb")
        drawing.text(DOOR_X + 12, y + 47, place, "code")

    line, python = step_y("find"), step_y("plan")
    slicer, scene = step_y(FROM_SLICER), step_y(TO_SLICER)
    door(line, "command line", "cli/correct.py", COLOURS["cli"])
    door(python, "Python", "folders.py", COLOURS["folders"])
    door(slicer, "panel in Slicer", "mrml/input.py", COLOURS["mrml"])
    door(scene, "nodes in the scene", "mrml/output.py", COLOURS["mrml"])
    across = STEP_HEIGHT / 2
    drawing.arrow((DOOR_X + 90, line + STEP_HEIGHT), (DOOR_X + 90, python - 1))
    drawing.text(DOOR_X + 100, line + STEP_HEIGHT + 21, "RunOptions", "on")
    turn = edge + 18
    drawing.arrow((edge, python + across), (turn, python + across), (turn, line + across), (STEP_X - 1, line + across))
    drawing.arrow((edge, slicer + across), (STEP_X - 1, slicer + across))
    drawing.text(DOOR_X + 12, slicer + STEP_HEIGHT + 21, "Volume", "on")
    drawing.arrow((STEP_X, scene + across), (edge + 1, scene + across))


def _draw_house(drawing: Drawing) -> None:
    drawing.text(HOUSE_X, TOP, "The rooms: an import only points down", "head")
    y = float(TOP + 28)
    core = [layer for layer in layers() if not set(layer) & set(COLOURS)]
    for layer in layers():
        if layer in core:
            continue
        width = (HOUSE_WIDTH - FLOOR_GAP * (len(layer) - 1)) / len(layer)
        for n, room in enumerate(layer):
            x = HOUSE_X + n * (width + FLOOR_GAP)
            drawing.box(x, y, width, FLOOR_HEIGHT, COLOURS[room])
            drawing.text(x + 12, y + 22, room, "verb")
            drawing.text(x + 12, y + 42, ROOMS[room])
        y += FLOOR_HEIGHT + FLOOR_GAP
    rows = [room for layer in core for room in layer if ROOMS[room]]
    small = [room for layer in core for room in layer if not ROOMS[room]]
    drawing.box(HOUSE_X, y, HOUSE_WIDTH, 44 + 22 * (len(rows) + bool(small)), CORE_COLOUR)
    drawing.text(HOUSE_X + 12, y + 24, "the core", "verb")
    for n, room in enumerate(rows):
        drawing.text(HOUSE_X + 12, y + 48 + 22 * n, f"{room}.py", "code")
        drawing.text(HOUSE_X + 130, y + 48 + 22 * n, ROOMS[room])
    drawing.text(HOUSE_X + 12, y + 48 + 22 * len(rows), "  ".join(f"{room}.py" for room in small), "code")


def main() -> int:
    """Write the picture; 1 where the tree does not bear it out."""
    found = mistakes()
    if found:
        print(*found, sep="\n", file=sys.stderr)
        return 1
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("architecture.svg")
    path.write_text(draw(), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
