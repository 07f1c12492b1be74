# SPDX-License-Identifier: Apache-2.0
"""The same pipeline where a CUDA device computes.

Triton is imported by the modules in ``kernels`` alone, and those are imported when a kernel is
first needed: a machine without Triton can import everything else here.
"""
