# SPDX-License-Identifier: Apache-2.0
"""Labels that are cheap and wrong, made from exact ones or from the picture."""
