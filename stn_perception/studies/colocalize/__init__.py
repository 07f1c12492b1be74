# SPDX-License-Identifier: Apache-2.0
"""One digit class, 100 pictures, no labels: where is what they have in common?"""
