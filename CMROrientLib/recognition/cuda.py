"""Why CUDA does not run the network, asked first without torch, whose import takes seconds."""

from __future__ import annotations

import ast
import ctypes
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..i18n import _

if TYPE_CHECKING:
    from .cards.model_files import ModelFiles


def has_driver() -> bool:
    """Whether the CUDA driver's library can be loaded."""
    names = ("nvcuda.dll",) if sys.platform == "win32" else ("libcuda.so.1", "libcuda.so")
    for name in names:
        try:
            ctypes.CDLL(name)
        except OSError:
            continue
        return True
    return False


def has_torch() -> bool:
    """Whether PyTorch is installed; it is not imported."""
    return importlib.util.find_spec("torch") is not None


def has_safetensors() -> bool:
    """Whether the package is installed that reads the weights for PyTorch."""
    return importlib.util.find_spec("safetensors") is not None


def why_no_cuda_yet() -> str | None:
    """Why CUDA cannot be used, as far as that can be told without importing torch; None where nothing speaks against.

    Of several reasons the one is told that has to be mended first.
    """
    if not has_driver():
        return _("no NVIDIA driver was found")
    if not has_torch():
        return _("PyTorch is not installed")
    if _built_without_cuda():
        return _("this PyTorch was built without CUDA")
    return None if has_safetensors() else _("the package safetensors is not installed")


def only_safetensors_is_missing() -> bool:
    """Whether CUDA could be used if the package safetensors were there."""
    return has_driver() and has_torch() and not _built_without_cuda() and not has_safetensors()


def why_torch_cannot() -> str | None:
    """Why PyTorch cannot use a device that it is told to; None where it can. Imports torch."""
    if not has_torch():
        return _("PyTorch is not installed")
    if not has_safetensors():
        return _("the package safetensors is not installed")
    try:
        import torch
    except Exception as error:  # a broken install raises what it likes: OSError, ImportError, RuntimeError
        return _("PyTorch cannot be loaded ({error})").format(error=error)
    if torch.cuda.is_available():
        return None
    if _built_without_cuda():
        return _("this PyTorch was built without CUDA")
    return _("PyTorch finds no device that it can use; its CUDA may be newer than the driver")


def why_not_auto(model: ModelFiles) -> str | None:
    """Why the device ``auto`` is not CUDA for a model; None where it is. Imports torch only where that may be it."""
    reason = why_no_cuda_yet()
    if reason is None and not model.safetensors.is_file():
        reason = _("the model lacks its file {name}").format(name=model.safetensors.name)
    return why_torch_cannot() if reason is None else reason


def _built_without_cuda() -> bool:
    """What PyTorch's own ``version.py`` says; False where it says nothing."""
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return False
    try:
        tree = ast.parse(Path(spec.origin).with_name("version.py").read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return False
    said: dict[str, bool] = {}
    for node in tree.body:
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(node.value, ast.Constant):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            said.update((target.id, node.value.value is not None) for target in targets if isinstance(target, ast.Name))
    # ROCm's builds answer for CUDA, too.
    return "cuda" in said and not said["cuda"] and not said.get("hip", False)
