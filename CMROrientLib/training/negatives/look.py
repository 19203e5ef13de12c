"""What a scanner makes of tissues: their signals in one protocol, with textures, coils, sharpness and noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .chest_shape import AIR, LIVER, LUNG, MYOCARDIUM, STOMACH, TISSUES

#: Usual signals, in the order of ``TISSUES``.
_PROTOCOLS: dict[str, tuple[float, ...]] = {
    "bSSFP": (0.02, 0.80, 0.22, 0.05, 0.32, 0.50, 0.10, 0.45, 0.80, 0.75, 0.85, 0.30, 0.28),
    "LGE": (0.02, 0.65, 0.22, 0.05, 0.25, 0.30, 0.08, 0.35, 0.50, 0.50, 0.50, 0.08, 0.35),
    "T2": (0.02, 0.70, 0.30, 0.04, 0.25, 0.60, 0.08, 0.35, 0.06, 0.07, 0.06, 0.35, 0.35),
    "gradient echo": (0.02, 0.45, 0.35, 0.05, 0.40, 0.45, 0.12, 0.40, 0.85, 0.80, 0.80, 0.40, 0.40),
    "first pass": (0.02, 0.25, 0.15, 0.04, 0.20, 0.20, 0.06, 0.15, 0.50, 0.95, 0.35, 0.15, 0.15),
    "phase-sensitive": (0.45, 0.85, 0.35, 0.45, 0.40, 0.50, 0.40, 0.60, 0.65, 0.65, 0.65, 0.12, 0.40),
}


@dataclass(frozen=True)
class Look:
    """One protocol on one day.

    Parameters
    ----------
    signals:
        Of ``TISSUES``, 0…1.
    texture:
        Relative deviation inside tissues.
    sharpness:
        Deviation of the blur in pixels.
    coil:
        Deviation of the logarithm of the coils' sensitivity.
    noise:
        Deviation of the noise.
    """

    signals: NDArray[np.float64]
    texture: float
    sharpness: float
    coil: float
    noise: float

    @classmethod
    def drawn(cls, random: np.random.Generator, protocol: str | None = None) -> Look:
        """A known protocol, its signals off by about a quarter, or one of the tenth that is like none."""
        if protocol is None and random.random() < 0.1:
            signals = random.random(len(TISSUES))
            signals[10] = signals[9] + random.normal(0, 0.05)
        else:
            name = protocol or list(_PROTOCOLS)[int(random.choice(6, p=[0.45, 0.18, 0.12, 0.1, 0.05, 0.1]))]
            signals = np.array(_PROTOCOLS[name]) * np.exp(random.normal(0, 0.22, len(TISSUES)))
        return cls(
            np.clip(signals, 0.0, 1.5),
            texture=random.uniform(0.02, 0.2),
            sharpness=random.uniform(0.3, 1.3),
            coil=random.uniform(0.0, 0.6),
            noise=random.uniform(0.005, 0.06),
        )

    def picture(self, random: np.random.Generator, tissues: NDArray[np.int_]) -> NDArray[np.float32]:
        """What the scanner stores of (rows, columns) indices of tissues."""
        from scipy.ndimage import gaussian_filter, zoom

        size = tissues.shape[0]
        signal = self.signals[tissues]
        coarse, fine = smooth(random, size, 12), smooth(random, size, 2.2)
        signal = signal * (1 + self.texture * (0.6 * coarse + 0.7 * fine))
        spots = smooth(random, size, 1.6)
        # Vessels of lung and liver, folds of the stomach.
        signal[(tissues == LUNG) & (spots > 1.9)] += 0.35 * self.signals[1]
        signal[(tissues == LIVER) & (spots > 1.7)] *= random.choice([0.4, 1.8])
        signal[(tissues == STOMACH) & (coarse > 0.8)] *= 0.3
        if random.random() < 0.3:
            signal[(tissues == MYOCARDIUM) & (coarse > 1.0)] += random.uniform(0.1, 0.6)
        signal = gaussian_filter(signal, self.sharpness)
        field = zoom(random.normal(0, self.coil / 2, (4, 4)), size / 4, order=3)[:size, :size]
        signal = signal * np.exp(field)
        real = signal + random.normal(0, self.noise, signal.shape)
        if self.signals[AIR] > 0.2:
            # Signed: without signal there is noise only, round mid-grey.
            return np.asarray(
                real + (tissues <= LUNG) * (tissues != 1) * random.normal(0, 0.15, signal.shape), np.float32
            )
        return np.asarray(np.hypot(real, random.normal(0, self.noise, signal.shape)), np.float32)


def smooth(random: np.random.Generator, size: int, width: float) -> NDArray[np.float64]:
    """(size, size) noise of unit deviation, smooth over ``width`` pixels."""
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(random.standard_normal((size, size)), width, mode="wrap")
    return np.asarray(noise / noise.std())
