"""Where a network is trained, and in which precision."""

from __future__ import annotations

import torch

from ..errors import CMROrientError


def device_of(name: str) -> torch.device:
    """``auto``, ``cpu``, ``cuda`` or ``cuda:N``. Raises CMROrientError where there is no CUDA to use."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise CMROrientError("CUDA cannot be used here; use the device 'cpu' or 'auto'")
    return torch.device(name)


def reduced_precision(device: torch.device) -> torch.autocast:
    """Half precision where the machine computes faster in it."""
    if device.type == "cuda":
        return torch.autocast("cuda", torch.bfloat16)
    return torch.autocast("cpu", torch.bfloat16, enabled=_bfloat16_is_fast())


def _bfloat16_is_fast() -> bool:
    """Whether the processor multiplies matrices of bfloat16 in hardware."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()) and bool(
        getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)()
    )
