# SPDX-License-Identifier: Apache-2.0
"""Part of stn_perception."""
