# SPDX-License-Identifier: Apache-2.0
import io
import math

import pytest
import torch
from torch import Tensor, nn

from stn_perception.stn.families import ThinPlateSplineFamily, make_family
from stn_perception.stn.grid import homography_grid
from stn_perception.stn.localization import ConvLocalizationNetwork
from stn_perception.stn.sampler import sample
from stn_perception.stn.spatial_transformer import SpatialTransformer

MATRIX_FAMILIES = ["translation", "similarity", "affine", "projective"]


class Constant(nn.Module):
    """Always the same transform, and a count of how often it was asked for."""

    def __init__(self, theta: Tensor) -> None:
        super().__init__()
        self.theta = nn.Parameter(theta)

    def forward(self, image: Tensor) -> Tensor:
        return self.theta.unsqueeze(0).expand(image.size(0), -1, -1)


class Dictionary(Constant):
    def forward(self, image: Tensor) -> dict[str, Tensor]:
        theta = self.theta.unsqueeze(0).expand(image.size(0), -1, -1)
        return {"theta": theta, "score": theta[:, 0, 0]}


def turn(degrees: float) -> Tensor:
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return torch.tensor([[cosine, -sine, 0], [sine, cosine, 0]])


def conv(family: str = "affine", **options) -> ConvLocalizationNetwork:
    return ConvLocalizationNetwork(make_family(family), jitter=0.1, **options)


@pytest.mark.parametrize("options", [{}, {"localization_size": (20, 20)}, {"refinement_steps": 2}])
def test_untrained_it_passes_the_image_through(options, device, rng):
    module = SpatialTransformer(
        ConvLocalizationNetwork(make_family("projective")), (33, 44), **options
    ).to(device)
    image = torch.rand(2, 3, 33, 44, generator=rng).to(device)
    views, theta, share = module.canonicalize(image)
    assert (views - image).abs().max() < 1e-5
    assert torch.allclose(theta, torch.eye(3, device=device).expand(2, 3, 3), atol=1e-6)
    assert (share == 1).all()


def test_it_drops_into_a_network_and_learns_to_centre(rng):
    # A blob anywhere; the classifier's place is taken by a fixed window at the centre.
    module = SpatialTransformer(
        ConvLocalizationNetwork(make_family("translation"), channels=1, widths=(8, 16)),
        (16, 16),
        mip_levels=0,
    )
    optimizer = torch.optim.Adam(module.parameters(), lr=5e-3)
    axis = (torch.arange(32.0) * 2 + 1) / 32 - 1
    window = torch.exp(-3 * (axis[::2, None] ** 2 + axis[None, ::2] ** 2))

    def blobs(count: int) -> tuple[Tensor, Tensor]:
        at = (torch.rand(count, 2, generator=rng) - 0.5) * 0.8
        x = torch.exp(-12 * (axis - at[:, :1]).square())
        y = torch.exp(-12 * (axis - at[:, 1:]).square())
        return (y.unsqueeze(2) * x.unsqueeze(1)).unsqueeze(1), at

    for _ in range(150):
        image, _ = blobs(32)
        optimizer.zero_grad()
        (-(module(image) * window).mean()).backward()
        optimizer.step()
    image, at = blobs(100)
    module.eval()
    error = (module.canonicalize(image).theta[:, :, 2] - at).norm(dim=1)
    assert error.median() < 0.25 * at.norm(dim=1).median()


@pytest.mark.parametrize("family", MATRIX_FAMILIES)
@pytest.mark.parametrize("options", [{}, {"localization_size": (24, 24), "refinement_steps": 1}])
def test_it_scripts_saves_and_loads(family, options, rng, device):
    module = SpatialTransformer(conv(family), (20, 25), **options).to(device).eval()
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(module), file)
    file.seek(0)
    loaded = torch.jit.load(file, map_location=device)
    for shape in ((3, 3, 40, 50), (1, 3, 17, 90), (0, 3, 8, 8), (2, 3, 1, 1)):
        image = torch.rand(*shape, generator=rng).to(device)
        assert torch.allclose(loaded(image), module(image), atol=1e-6)
        ours, theirs = module.canonicalize(image), loaded.canonicalize(image)
        assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize(
    "family, options",
    [
        ("affine", {"mip_levels": 4}),
        ("similarity", {"mip_levels": 0, "mode": "bicubic"}),
        ("projective", {"mip_levels": 1, "localization_size": (24, 24), "refinement_steps": 1}),
    ],
)
def test_it_exports_with_any_batch_and_size(family, options, rng, device):
    module = SpatialTransformer(conv(family), (20, 25), **options).to(device).eval()
    sizes = {axis: torch.export.Dim(name, min=17) for axis, name in ((2, "height"), (3, "width"))}
    program = torch.export.export(
        module,
        (torch.rand(3, 3, 40, 50, generator=rng).to(device),),
        dynamic_shapes=({0: torch.export.Dim("batch"), **sizes},),
    )
    file = io.BytesIO()
    torch.export.save(program, file)
    file.seek(0)
    loaded = torch.export.load(file).module()
    for shape in ((3, 3, 40, 50), (1, 3, 17, 90), (0, 3, 18, 18)):
        image = torch.rand(*shape, generator=rng).to(device)
        assert torch.allclose(loaded(image), module(image), atol=1e-6)


def test_a_localization_network_may_return_a_dictionary(rng):
    image = torch.rand(2, 1, 12, 12, generator=rng)
    plain = SpatialTransformer(Constant(turn(20)), (10, 10))
    wrapped = SpatialTransformer(Dictionary(turn(20)), (10, 10))
    assert torch.equal(plain(image), wrapped(image))
    assert torch.equal(torch.jit.script(wrapped)(image), plain(image))


def test_a_spline_transforms_too(rng):
    module = SpatialTransformer(
        ConvLocalizationNetwork(ThinPlateSplineFamily(rows=3, columns=5), jitter=0.05),
        (20, 20),
        control_grid=(3, 5),
    )
    image = torch.rand(2, 3, 30, 30, generator=rng, requires_grad=True)
    module(image).square().sum().backward()
    assert module.localization.head.last.bias.grad.abs().sum() > 0
    with pytest.raises(ValueError, match="splines do not compose"):
        SpatialTransformer(
            ConvLocalizationNetwork(ThinPlateSplineFamily()), (9, 9), refinement_steps=1
        )(image)


def test_trap_5_refinement_samples_the_original_image(rng):
    image = torch.rand(1, 1, 120, 120, generator=rng)
    module = SpatialTransformer(Constant(turn(45)), (120, 120), refinement_steps=7)
    views, theta, _ = module.canonicalize(image)
    assert torch.allclose(theta, torch.eye(3)[None], atol=1e-5)
    middle = (..., slice(40, 80), slice(40, 80))
    assert (views[middle] - image[middle]).abs().max() < 1e-3


def test_refinement_looks_at_the_view_with_its_margin(rng):
    seen = []

    class Watching(Constant):
        def forward(self, image: Tensor) -> Tensor:
            seen.append(image.detach())
            return super().forward(image)

    image = torch.rand(1, 1, 40, 60, generator=rng)
    first = torch.tensor([[0.5, 0.0, 0.1], [0.0, 0.5, -0.2]])
    module = SpatialTransformer(
        Watching(first), (16, 16), (20, 24), refinement_steps=1, refinement_margin=1.25
    )
    theta = module.canonicalize(image).theta
    larger = first.clone()
    larger[:, :2] *= 1.25
    expected = sample(image, homography_grid(larger[None], 20, 24, 40, 60), mip_levels=4)
    assert torch.allclose(seen[1], expected)
    assert torch.allclose(theta[0, :2, 2], larger[:, :2] @ first[:, 2] + larger[:, 2])


def test_refinement_trains_through_every_look(rng):
    module = SpatialTransformer(Constant(turn(5)), (16, 16), refinement_steps=2)
    module(torch.rand(1, 1, 20, 20, generator=rng)).square().sum().backward()
    assert module.localization.theta.grad.abs().sum() > 0


def test_trap_7_training_stops_at_a_transform_that_is_not_finite():
    module = SpatialTransformer(Constant(turn(0) * float("nan")), (8, 8), padding="border")
    with pytest.raises(ValueError, match="transform 0 of 2 is not finite"):
        module(torch.ones(2, 1, 8, 8))
    views, _, share = module.eval().canonicalize(torch.ones(2, 1, 8, 8))
    assert (views == 0).all() and (share == 0).all()


def test_trap_10_an_image_that_wants_no_gradient_gets_none(rng):
    image = torch.rand(1, 3, 20, 20, generator=rng, requires_grad=True)
    module = SpatialTransformer(Constant(turn(9)), (8, 8), theta_only=True)
    module(image).sum().backward()
    assert image.grad is None
    assert module.localization.theta.grad.abs().sum() > 0


def test_double_precision_and_half_precision_images(device, rng):
    image = torch.rand(1, 3, 20, 20, generator=rng).to(device)
    module = SpatialTransformer(conv(), (8, 8)).to(device)
    exact = module.double()(image.double())
    assert exact.dtype == torch.float64
    assert torch.allclose(module.float()(image).double(), exact, atol=1e-4)
    constant = SpatialTransformer(Constant(turn(9)), (8, 8)).to(device)
    assert constant(image.half()).dtype == torch.float16


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        SpatialTransformer(conv(), (0, 8))
    with pytest.raises(ValueError, match="-1"):
        SpatialTransformer(conv(), (8, 8), refinement_steps=-1)
    with pytest.raises(ValueError, match="nan"):
        SpatialTransformer(conv(), (8, 8), refinement_margin=math.nan)
