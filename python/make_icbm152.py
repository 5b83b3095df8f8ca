#!/usr/bin/env python3
"""Makes a training set of one sample from the ICBM 152 brain atlas (2009a, nonlinear, symmetric).

    python3 python/make_icbm152.py [--full] --atlas DIR -o DIR

--atlas is the folder of the Python package nilearn (0.14.1 was used) that holds
mni_icbm152_{t1,gm,wm}_tal_nlin_sym_09a_converted.nii.gz: nilearn/datasets/data.
Needs numpy; the atlas files are read without another package.

Writes image.npy, float32 [1, 1, D, H, W]: T1, zero mean and unit variance inside the
brain, 0 outside; and labels.npy, uint8 [1, 3, D, H, W], 0 or 1: grey matter (its
probability is at least one half), white matter (likewise, and not grey), and the rest
of the brain. Axes are the atlas's x, y, z. The volume is 192 x 224 x 192 mm and holds
the whole brain; without --full a voxel is the mean of 2 x 2 x 2, so 96 x 112 x 96.
"""

import argparse
import gzip
import pathlib
import struct

import numpy as np

VOLUME = (192, 224, 192)  # mm; every extent divisible by 32, as a U-Net of depth 5 wants at both sizes


def read_atlas_volume(path):
    """A volume of a NIfTI-1 file as float64 in [0, 1]. The atlas's files hold unscaled uint8, in Fortran order."""
    content = gzip.decompress(path.read_bytes())
    header_bytes, = struct.unpack_from("<i", content, 0)
    dimensions = struct.unpack_from("<8h", content, 40)
    datatype, = struct.unpack_from("<h", content, 70)
    offset, slope = struct.unpack_from("<2f", content, 108)
    if header_bytes != 348 or dimensions[0] < 3 or datatype != 2 or slope not in (0, 1) and slope == slope:
        raise SystemExit(f"{path}: found another kind of file, expected unscaled uint8 NIfTI-1")
    shape = dimensions[1:4]
    values = np.frombuffer(content, np.uint8, int(np.prod(shape)), int(offset))
    return values.reshape(shape, order="F") / 255


def fit(volume):
    """Cuts or pads each axis evenly at both ends to VOLUME. What is cut away must be empty."""
    for axis, size in enumerate(VOLUME):
        excess = volume.shape[axis] - size
        if excess > 0:
            kept = range(excess // 2, excess // 2 + size)
            if np.delete(volume, kept, axis).any():
                raise SystemExit(f"the atlas is larger than {VOLUME} mm on axis {axis}")
            volume = np.take(volume, kept, axis)
        elif excess < 0:
            padding = [(0, 0)] * 3
            padding[axis] = (-excess // 2, -excess - -excess // 2)
            volume = np.pad(volume, padding)
    return volume


def halve(volume):
    """The mean of each 2 x 2 x 2 block."""
    d, h, w = (extent // 2 for extent in volume.shape)
    return volume.reshape(d, 2, h, 2, w, 2).mean(axis=(1, 3, 5))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="1 mm: 192 x 224 x 192")
    parser.add_argument("--atlas", type=pathlib.Path, required=True)
    parser.add_argument("-o", "--out", type=pathlib.Path, required=True)
    arguments = parser.parse_args()

    name = "mni_icbm152_{}_tal_nlin_sym_09a_converted.nii.gz"
    volumes = {kind: read_atlas_volume(arguments.atlas / name.format(kind)) for kind in ("t1", "gm", "wm")}
    mask = volumes["t1"] > 0  # the skull is already off: T1 is 0 outside the brain
    t1, grey, white, brain = (fit(volume * mask) for volume in (*volumes.values(), 1.0))
    if not arguments.full:
        t1, grey, white, brain = (halve(volume) for volume in (t1, grey, white, brain))

    inside = brain >= 0.5
    image = np.where(inside, (t1 - t1[inside].mean()) / t1[inside].std(), 0).astype(np.float32)
    is_grey = inside & (grey >= 0.5)
    is_white = inside & (white >= 0.5) & ~is_grey
    labels = np.stack([is_grey, is_white, inside & ~is_grey & ~is_white]).astype(np.uint8)

    arguments.out.mkdir(parents=True, exist_ok=True)
    np.save(arguments.out / "image.npy", image[None, None])
    np.save(arguments.out / "labels.npy", labels[None])
    shares = " ".join(f"{share:.3f}" for share in labels.mean(axis=(1, 2, 3)))
    print(f"{arguments.out}: image {image.shape}, share of grey, white, other {shares}")


if __name__ == "__main__":
    main()
