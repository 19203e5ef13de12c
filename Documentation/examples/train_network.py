"""Train a network on your own labelled stacks with Slicer's Python, without a window.

Slicer --no-splash --no-main-window --exit-after-startup --python-script PATH/train_network.py -- OPTIONS

OPTIONS are those of ``cmrorient train``, for example
``--recipe Training/recipes/cine.toml --data DATA --output RUN``; ``--help`` shows them all.
Slicer needs PyTorch for it: install the PyTorch extension first, and the other packages of the extra
``train`` once in its Python console:
``slicer.util.pip_install("safetensors onnx matplotlib scikit-learn scikit-image pydantic")`` (and monai for
the baselines). Data are loaded in this process, because Slicer's Python cannot start worker processes.
"""

import sys
import traceback
from pathlib import Path


def main(arguments: list[str]) -> int:
    """Run ``cmrorient train`` and give its exit status."""
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    from CMROrientLib.cli.main import main as run

    return run(["train", *arguments])


if __name__ == "__main__":
    # Slicer leaves the separator in, and stays open unless the script ends it: an exception alone does not.
    given = sys.argv[1:]
    try:
        status = main(given[1:] if given[:1] == ["--"] else given)
    except SystemExit:
        raise
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.exit(status)
