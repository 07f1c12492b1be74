# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks compare with, each written the way its users write it."""
