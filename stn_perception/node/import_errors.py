# SPDX-License-Identifier: Apache-2.0
"""Say what to install where an import fails, instead of showing a traceback."""

from __future__ import annotations

import sys

_HINTS = {
    "rclpy": "source a ROS 2 installation (source /opt/ros/<distribution>/setup.bash), or "
    "pip install 'stn_perception[ros]'",
    "torch": "pip install torch with the very interpreter that runs the node, or point its "
    "PYTHONPATH at the environment that has torch",
    "cv2": "pip install opencv-python-headless, or apt install python3-opencv",
    "numpy": "pip install numpy",
    "pydantic": "pip install 'pydantic>=2.5'",
}


def explain_import_error(error: BaseException) -> str:
    """One sentence on a failed import: what is missing, for which Python, what to install."""
    text = " ".join(str(error).split())
    if _is_numpy_abi_clash(text):
        return (
            "A compiled package does not fit the installed NumPy "
            f"({text.split('.')[0]}): pip install 'numpy<2' beside packages built for NumPy 1, or "
            "newer builds of those packages."
        )
    name = (getattr(error, "name", None) or "").partition(".")[0]
    if isinstance(error, ModuleNotFoundError) and name:
        hint = _HINTS.get(name, f"install the package that has '{name}'")
        return f"Python {sys.executable} finds no module '{name}': {hint}."
    hint = _HINTS.get(name, "reinstall the package named there")
    return f"An import failed ({text or type(error).__name__}): {hint}."


def _is_numpy_abi_clash(text: str) -> bool:
    signs = (
        "numpy.core.multiarray failed to import",
        "_ARRAY_API not found",
        "numpy.dtype size changed",
        "compiled using NumPy 1",
        "module compiled against",
        "compiled against ABI version",
    )
    return any(sign.lower() in text.lower() for sign in signs)
