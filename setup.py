# SPDX-License-Identifier: Apache-2.0
"""Build stn_perception with ament_python (colcon) and with pip."""

from glob import glob
from pathlib import Path

from setuptools import find_packages, setup

NAME = "stn_perception"
SHARE = f"share/{NAME}"

EXTRAS = {
    # ROS 2 from wheels, for machines without a ROS install.
    "ros": ["ros-rclpy>=9.1", "ros-common-interfaces", "ros-rmw-fastrtps-cpp"],
    # Sampling of frames by compiled loops; without it OpenCV does the same, more slowly.
    "fast": ["numba>=0.60"],
    "bags": ["aiohttp", "fsspec", "mcap>=1.1", "rosbags>=0.10", "zstandard"],
    # `stn evaluate`: on top of [bags].
    "evaluate": [
        "dask>=2024.1",
        "distributed>=2024.1",
        "plotly>=5.20",
        "pyarrow>=14",
        "pyyaml",
        "scikit-image>=0.22",
        "scipy",
        "tqdm",
    ],
    "train": ["lightning>=2.4", "pyyaml", "scikit-image>=0.22", "tensorboard"],
    # Scenes of the model `tabletop`, to train and to score it.
    "tabletop": ["pybullet>=3.2.7", "scipy"],
    # `stn study`: the published experiments, with what they are compared with.
    "studies": ["kornia>=0.7", "lightning>=2.4", "pybullet>=3.2.7", "scipy"],
    # What `stn bench` compares with.
    "bench": ["kornia>=0.7", "psutil"],
    # What `colcon test` looks for to choose pytest.
    "test": ["pytest>=8"],
    "dev": [
        "colcon-common-extensions",
        "hypothesis",
        "import-linter",
        "mypy",
        "pdoc",
        # Drives a browser over the report and the labelling page.
        "playwright",
        "pupil-apriltags",
        "pytest>=8",
        "pytest-xdist",
        "ruff",
        # The CUDA kernels' tests run in its interpreter; PyTorch's CUDA builds bring it.
        "triton>=3.2",
        "types-PyYAML",
    ],
}


def installed_files(folder: str) -> list[tuple[str, list[str]]]:
    """Pair each folder below `folder` with its files, as setuptools' data_files wants them."""
    files = [path for path in Path(folder).rglob("*") if path.is_file() and path.suffix != ".pyc"]
    parents = sorted({path.parent for path in files})
    return [
        (f"{SHARE}/{parent}", [str(path) for path in files if path.parent == parent])
        for parent in parents
    ]


setup(
    name=NAME,
    version="0.1.0",
    description="Canonical views of detected objects, learned by spatial transformer networks",
    long_description=Path("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    maintainer="stn_perception maintainers",
    maintainer_email="maintainers@users.noreply.example",
    packages=find_packages(include=[NAME, f"{NAME}.*"]),
    package_data={
        NAME: [
            "py.typed",
            "bags/definitions/*/msg/*.msg",
            "bags/labelling/page/*",
            "training/road_signs/*.json",
            "training/road_signs/designs/*",
            "training/road_signs/designs/*/*",
            "studies/weights/*/*.pt",
        ]
    },
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (SHARE, ["package.xml"]),
        (f"{SHARE}/launch", glob("launch/*.launch.py")),
        *installed_files("config"),
        *installed_files("models"),
        *installed_files("samples"),
    ],
    python_requires=">=3.10",
    install_requires=[
        "numpy>=1.24",
        "opencv-python-headless>=4.8",
        "pydantic>=2.5",
        "torch>=2.4",
    ],
    extras_require=EXTRAS,
    zip_safe=True,
    entry_points={
        "console_scripts": [
            f"canonicalizer_node = {NAME}.node.main:main",
            f"bag_player_node = {NAME}.node.player:main",
            f"stn = {NAME}.cli:main",
        ]
    },
)
