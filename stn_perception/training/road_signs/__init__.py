# SPDX-License-Identifier: Apache-2.0
"""Road and door signs: corners and class."""
