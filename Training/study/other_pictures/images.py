"""Packaged pictures that only the test shows; none of them is among those of training."""

from __future__ import annotations

from CMROrientLib.training.negatives.images import PackagedImage, files_of

TEST_IMAGES: dict[str, list[PackagedImage]] = {
    "other photographs": [
        *files_of(
            "skimage",
            "data",
            "moon.png retina.jpg horse.png motorcycle_left.png gravel.png clock_motion.png page.png color.png",
        ),
        *files_of("sklearn", "datasets/images", "china.jpg flower.jpg"),
        *files_of("matplotlib", "mpl-data/sample_data", "grace_hopper.jpg Minduka_Present_Blue_Pack.png"),
    ],
    "anatomy from other files": [
        *files_of("matplotlib", "mpl-data/sample_data", "s1045.ima.gz"),
        *files_of("nibabel", "tests/data", "phantom_EPI_asc_CLEAR_2_1.PAR scaled+tlrc.BRIK"),
        *files_of("nibabel", "nicom/tests/data", "slicethickness_empty_string.dcm"),
        *files_of(
            "pydicom",
            "data/test_files",
            "J2K_pixelrep_mismatch.dcm JPEG2000.dcm examples_overlay.dcm examples_palette.dcm",
        ),
    ],
}
