# SPDX-License-Identifier: Apache-2.0
"""Every image of a recording through the pipeline, offline."""
