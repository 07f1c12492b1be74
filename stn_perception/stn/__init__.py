# SPDX-License-Identifier: Apache-2.0
"""Spatial transformer networks in torch: localization, grids, sampling, and the whole module."""

from stn_perception.stn.checks import (
    TransformReport,
    check_finite,
    finite_transforms,
    inspect_transform,
    prior_penalty,
    valid_fraction,
    valid_mask,
)
from stn_perception.stn.compose import compose, invert, scaled_about_center
from stn_perception.stn.families import (
    AffineFamily,
    FamilyLimits,
    ProjectiveFamily,
    SimilarityFamily,
    ThinPlateSplineFamily,
    TransformFamily,
    TranslationFamily,
    make_family,
)
from stn_perception.stn.grid import SamplingGrid, homography_grid
from stn_perception.stn.localization import (
    ConvLocalizationNetwork,
    LocalizationNetwork,
    ParameterHead,
    conv_block,
    parameter_groups,
)
from stn_perception.stn.sampler import prepare_pyramid, sample, sample_pyramid
from stn_perception.stn.several_transformers import (
    ParallelSpatialTransformers,
    SerialSpatialTransformers,
    ring_of_starts,
)
from stn_perception.stn.spatial_transformer import CanonicalViews, SpatialTransformer
from stn_perception.stn.spline import control_grid, sampling_grid, spline_grid
from stn_perception.stn.transforms import (
    as_homography,
    corners_from_theta,
    identity_theta,
    theta_from_corners,
)

__all__ = [
    "AffineFamily",
    "CanonicalViews",
    "ConvLocalizationNetwork",
    "FamilyLimits",
    "LocalizationNetwork",
    "ParallelSpatialTransformers",
    "ParameterHead",
    "ProjectiveFamily",
    "SamplingGrid",
    "SerialSpatialTransformers",
    "SimilarityFamily",
    "SpatialTransformer",
    "ThinPlateSplineFamily",
    "TransformFamily",
    "TransformReport",
    "TranslationFamily",
    "as_homography",
    "check_finite",
    "compose",
    "control_grid",
    "conv_block",
    "corners_from_theta",
    "finite_transforms",
    "homography_grid",
    "identity_theta",
    "inspect_transform",
    "invert",
    "make_family",
    "parameter_groups",
    "prepare_pyramid",
    "prior_penalty",
    "ring_of_starts",
    "sample",
    "sample_pyramid",
    "sampling_grid",
    "scaled_about_center",
    "spline_grid",
    "theta_from_corners",
    "valid_fraction",
    "valid_mask",
]
