# SPDX-License-Identifier: Apache-2.0
"""Public data by package name: fetched once, verified, and kept in the user's cache."""
