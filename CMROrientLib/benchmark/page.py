"""The figures as a page: ``Documentation/performance.md``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .stages import STAGES

#: What is aimed at, on two cores, in one run: what a start may cost beside SimpleITK's import, how fast a run is
#: beside one without any network, the milliseconds of a warm stack of ten slices and slices a second on CUDA.
MOST_START, LEAST_RUN, MOST_WARM_MS, LEAST_CUDA = 2.0, 0.6, 40.0, 20_000

Figures = Mapping[str, Any]


def page(found: Figures, command: str) -> str:
    """The page of the figures that ``benchmark`` gave.

    Parameters
    ----------
    command:
        The call that made them.
    """
    return "\n".join(_lines(found, command)) + "\n"


def _lines(found: Figures, command: str) -> Iterator[str]:
    machine, versions = found["machine"], found["versions"]
    yield "# Performance"
    yield ""
    yield _said(
        f"Measured and written by `{command}`: write it anew with the same command, not by hand.",
        "What runs side by side runs in turn, so that other work on the machine bears on all alike; CPU time stands it",
        "best, and ratios of it are what this page is about. Figures are medians, but for the stages.",
    )
    yield ""
    packages = ", ".join(f"{name} {machine[name]}" for name in machine if name not in _NO_PACKAGES)
    yield _said(
        f"Machine: {machine['cpu']}, {machine['cores']} cores, {machine['system']}, Python {machine['python']};",
        f"{packages}.",
        *([f"Load when it began: {machine['load']} (processes that want a core)."] if "load" in machine else []),
        f"Images: {found['images']['words']}.",
        *(f"“{name}” is version {number}, beside this one." for name, number in versions.items() if name != "this"),
    )
    for part in (_aims, _starts, _warm, _runs, _stages, _networks):
        yield ""
        yield from part(found)


_NO_PACKAGES = ("cpu", "cores", "system", "python", "load")


def _aims(found: Figures) -> Iterator[str]:
    starts, runs, warm = found["starts"], found["runs"], found["warm"]
    yield "## Aims"
    yield ""
    rows = [
        _aim(
            "start, to the import of SimpleITK (CPU time)", found["ratios"]["start_to_bare_cpu"], MOST_START, "at most"
        ),
        _aim(
            "`correct`, to the same without any network (CPU time)",
            found["ratios"]["no_network_to_correct_cpu"],
            LEAST_RUN,
            "at least",
        ),
        _aim(
            "`correct`, to the same without any network (by the clock)",
            found["ratios"]["no_network_to_correct_wall"],
            LEAST_RUN,
            "at least",
        ),
        _aim(
            "a warm stack of ten slices, one thread (ms of CPU time)",
            warm["this: as it comes"]["cpu_ms"],
            MOST_WARM_MS,
            "at most",
        ),
    ]
    if "slices_per_s" in found["cuda"]:
        words = "slices a second on CUDA, one pass from the host's memory, preprocessing on the device"
        rows.append(_aim(words, found["cuda"]["slices_per_s"], LEAST_CUDA, "at least"))
    other = next((name for name in found["versions"] if name != "this"), None)
    if other is not None:
        # A run that gets faster in everything but the network moves away from its own aim.
        old, new = runs[f"{other}: no network"], runs["this: correct"]
        beside = f"`correct`, to version {found['versions'][other]} without any network"
        rows[3:3] = [
            _aim(f"{beside} (CPU time)", _ratio(old, new), LEAST_RUN, "at least"),
            _aim(f"{beside} (by the clock)", _ratio(old, new, "wall_s"), LEAST_RUN, "at least"),
        ]
    yield from _table(("figure", "measured", "aim", ""), rows)
    if other is None:
        return
    yield ""
    yield _said(
        f"Beside version {found['versions'][other]}: `correct` takes",
        f"{_part(runs['this: correct'], runs[f'{other}: correct'])}, a start {_part(starts['this'], starts[other])}.",
        *_other_networks(found),
    )


def _other_networks(found: Figures) -> Iterator[str]:
    """A sentence on each version whose network is another one than this one's."""
    known = {name.partition(":")[0]: row.get("checksum") for name, row in found["warm"].items()}
    for name, number in found["versions"].items():
        if known.get(name) and known.get("this") and known[name] != known["this"]:
            yield (
                f"The network of version {number} is another one ({known[name][:12]}, this version's "
                f"{known['this'][:12]}): what differs between the two is in part the network's."
            )


def _starts(found: Figures) -> Iterator[str]:
    starts = found["starts"]
    yield "## Cold start"
    yield ""
    yield _said(
        "A process of its own each time: `cmrorient recognize one.nii.gz` beside `python -c 'import SimpleITK'`",
        f"({_rounds(starts['bare'])}). An untimed first start of each leaves its modules compiled, as pip",
        "leaves those of a package that it installs.",
    )
    yield ""
    names = {"interpreter": "`python -c pass`", "bare": "`python -c 'import SimpleITK'`"}
    rows = [
        (
            names.get(name) or _called(name, found),
            _s(timing["cpu_s"]),
            _s(timing["wall_s"]),
            _times(timing, starts["bare"]),
        )
        for name, timing in starts.items()
    ]
    yield from _table(("command", "CPU s", "clock s", "to SimpleITK, CPU"), rows)


def _called(name: str, found: Figures) -> str:
    version, _, option = name.partition(" --")
    words = "`cmrorient --help`" if option else "`cmrorient recognize one.nii.gz`"
    return words if version == "this" else f"{words}, {found['versions'][version]}"


def _warm(found: Figures) -> Iterator[str]:
    yield "## A warm volume"
    yield ""
    yield _said(
        "`Recognizer(threads=1).recognize(volume)` in a process that has the network loaded;",
        "“as it comes” ends its looks where the model's card has a rule for that and it is sure.",
    )
    yield ""
    rows = [
        (name, f"{row['inputs']:.0f}" if row["inputs"] else "", f"{row['cpu_ms']:.1f}", f"{row['wall_ms']:.1f}")
        for name, row in found["warm"].items()
    ]
    yield from _table(("version: kind", "inputs", "CPU ms", "clock ms"), rows)


def _runs(found: Figures) -> Iterator[str]:
    runs, count = found["runs"], found["images"]["count"]
    yield "## Runs"
    yield ""
    yield _said(
        f"`cmrorient correct` over {count} images into a fresh folder, start and page included,",
        f"{_rounds(runs['this: correct'])} in turn. “no network” is the same run with `--decisions`, a table",
        "that says how each image is stored; gzip unpacks and packs the same files in Python and does nothing else.",
    )
    yield ""
    base = runs["this: no network"]
    rows = [
        (
            name,
            _s(timing["cpu_s"]),
            _s(timing["wall_s"]),
            f"{count / timing['wall_s']:.1f}",
            "" if timing["cpu_s"] is None else f"{1000 * timing['cpu_s'] / count:.1f}",
            _times(base, timing),
        )
        for name, timing in runs.items()
    ]
    yield from _table(
        ("run", "CPU s", "clock s", "images a second", "CPU ms an image", "no network, to it (CPU)"), rows
    )


def _stages(found: Figures) -> Iterator[str]:
    stages = found["stages_ms"]
    total = sum(stages.values())
    yield "## Stages"
    yield ""
    yield _said(
        "CPU time of an image on one thread, stage after stage; in a run they overlap. Means, not medians: an image",
        "that has to be seen in all copies takes many times the network of one that two looks are enough for.",
    )
    yield ""
    yield from _table(
        ("stage", "CPU ms", "share"),
        [(stage, f"{stages[stage]:.2f}", f"{100 * stages[stage] / total:.0f} %") for stage in STAGES],
    )


def _networks(found: Figures) -> Iterator[str]:
    networks, cuda = found["networks"], found["cuda"]
    yield "## Networks"
    yield ""
    yield _said(
        "CPU time of one input on one thread of ONNX Runtime, networks in turn. The floor is the time of as many",
        "multiply-adds in a product of two matrices of 1024² on this machine:",
        f"{found['multiply_adds_per_s'] / 1e9:.1f}·10⁹ a second.",
        "`cine` is the paper's network on its inputs; ResNet18 and DenseNet121 are MONAI's, untrained, for their time.",
    )
    yield ""
    rows = [
        (
            name,
            row["architecture"],
            row["input"],
            f"{row['multiply_adds'] / 1e6:.0f}·10⁶" if "multiply_adds" in row else "",
            f"{row['cpu_ms']:.2f}",
            f"{row['floor_ms']:.2f}" if "floor_ms" in row else "",
            f"{row['times_the_floor']:.1f}" if "times_the_floor" in row else "",
        )
        for name, row in networks["rows"].items()
    ]
    yield from _table(("network", "architecture", "input", "multiply-adds", "CPU ms", "floor ms", "× floor"), rows)
    batches = ", ".join(f"{count}: {ms:.2f} ms" for count, ms in found["cpu_ms_by_batch"].items())
    stack, more = (found["cpu_ms_by_batch"][count] for count in ("10", "40"))
    yield ""
    yield _said(
        f"CPU time of an input of `{next(iter(networks['rows']))}` by how many are run at once: {batches}.",
        "Stacks of ten are run at once; slices of several volumes together would save",
        f"{100 * (1 - more / stack):.0f} % of the network's part, and are not.",
    )
    if networks["left_out"]:
        yield ""
        yield f"Not measured: {networks['left_out']}."
    yield ""
    if "slices_per_s" in cuda:
        yield _said(
            f"{cuda['device']}, {cuda['slices']:,} slices of 256 × 208 in one pass, prepared on the device:",
            f"{cuda['slices_per_s']:,} slices a second from the host's memory,",
            f"{cuda['slices_per_s_there']:,} where the voxels lie on the device already,",
            f"{cuda['slices_per_s_in_stacks']:,} from the host's memory in stacks of ten, a call each;",
            f"the network alone, inputs from the host's memory: {cuda['inputs_per_s']:,} inputs a second.",
        )
    else:
        yield f"CUDA was not measured: {cuda['left_out']}."


def _rounds(timing: Figures) -> str:
    return "1 round" if timing["rounds"] == 1 else f"{timing['rounds']} rounds"


def _said(*sentences: str) -> str:
    return " ".join(sentences)


def _aim(words: str, value: float | None, aim: float, sense: str) -> tuple[str, ...]:
    if value is None:
        return words, "not measured", f"{sense} {aim:g}", ""
    met = value <= aim if sense == "at most" else value >= aim
    return words, f"{value:,.2f}", f"{sense} {aim:g}", "met" if met else "**missed**"


def _ratio(first: Figures, second: Figures, kind: str = "cpu_s") -> float | None:
    """None where the system tells no processor time of other processes, as Windows does."""
    above, below = first[kind], second[kind]
    return None if above is None or below is None else float(above) / float(below)


def _times(first: Figures, second: Figures) -> str:
    ratio = _ratio(first, second)
    return "" if ratio is None else f"{ratio:.2f}"


def _part(new: Figures, old: Figures) -> str:
    ratio, of = _ratio(new, old), "CPU time"
    if ratio is None:
        ratio, of = float(new["wall_s"]) / float(old["wall_s"]), "time by the clock"
    return f"{100 * ratio:.0f} % of its {of}"


def _s(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
