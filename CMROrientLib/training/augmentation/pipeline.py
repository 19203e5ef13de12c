"""The transforms of a recipe, in the order in which a scanner, an export and a reader would do them."""

from __future__ import annotations

from .intensity.anisotropic import Anisotropic
from .intensity.bias_field import BiasField
from .intensity.blur import Blur
from .intensity.dark_blood import DarkBlood
from .intensity.disc import Disc
from .intensity.flow import Flow
from .intensity.gamma import Gamma, UnitRange
from .intensity.grey_curve import GreyCurve
from .intensity.inversion import Inversion
from .intensity.inversion_recovery import InversionRecovery
from .intensity.low_resolution import LowResolution
from .intensity.noise import Noise
from .intensity.parametric_map import ParametricMap
from .intensity.perfusion import Perfusion
from .intensity.tissue_contrast import TissueContrast
from .intensity.varied_strength import VariedStrength
from .intensity.wrap_around import WrapAround
from .settings import Augmentation
from .spatial.field_of_view import FieldOfView
from .spatial.resampling import Resampling
from .spatial.rotation import Rotation
from .spatial.stored_orientation import StoredOrientation
from .transform import Compose, Transform


def pipeline(settings: Augmentation, size: int) -> Compose:
    """What the settings ask for.

    Parameters
    ----------
    size:
        Side of the pictures that come out.
    """
    steps: list[tuple[bool, Transform]] = [
        (settings.varied, VariedStrength()),
        (settings.tissue > 0, TissueContrast(settings.tissue)),
        (settings.phase_sensitive > 0, InversionRecovery(settings.phase_sensitive, signed=True)),
        (settings.inversion_recovery > 0, InversionRecovery(settings.inversion_recovery, signed=False)),
        (settings.parametric_map > 0, ParametricMap(settings.parametric_map)),
        (settings.perfusion > 0, Perfusion(settings.perfusion)),
        (settings.flow > 0, Flow(settings.flow)),
        (settings.dark_blood > 0, DarkBlood(settings.dark_blood)),
        (settings.wrap > 0, WrapAround(settings.wrap)),
        (True, Rotation(settings.rotation, settings.rotation_unknown, settings.varied)),
        (True, _field_of_view(settings)),
        (settings.turns, StoredOrientation()),
        (True, Resampling(size, settings.bright_fill)),
        (settings.low_resolution > 0, LowResolution(settings.low_resolution)),
        (settings.anisotropic > 0, Anisotropic(settings.anisotropic)),
        (settings.blur > 0, Blur(settings.blur)),
        (settings.bias_share > 0, BiasField(settings.bias, settings.bias_share)),
        (settings.noise_share > 0, Noise(settings.noise, settings.noise_share)),
        (True, UnitRange()),
        (settings.gamma > 0, Gamma(settings.gamma)),
        (settings.remap > 0, GreyCurve(settings.remap)),
        (settings.invert > 0, Inversion(settings.invert)),
        (settings.window > 0, Disc(settings.window)),
    ]
    return Compose(tuple(transform for wanted, transform in steps if wanted))


def _field_of_view(settings: Augmentation) -> FieldOfView:
    return FieldOfView(
        settings.zoom,
        settings.aspect,
        settings.shift,
        settings.closest,
        settings.crop_diameters,
        settings.crop_share,
    )
