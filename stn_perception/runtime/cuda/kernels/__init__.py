# SPDX-License-Identifier: Apache-2.0
"""The Triton kernels. Importing one imports Triton.

They run on a CUDA device, and on the CPU in Triton's interpreter where ``TRITON_INTERPRET=1`` was
set before Triton was first imported. Triton's language is not Python's as far as types go, so the
type checker leaves these files alone; ``launches`` is their typed face.
"""
