# SPDX-License-Identifier: Apache-2.0
"""Whether the angle that a transformer has learned is the angle of the object."""
