# SPDX-License-Identifier: Apache-2.0
"""Study `overhead`: what a transformer costs beside the network that it serves."""
