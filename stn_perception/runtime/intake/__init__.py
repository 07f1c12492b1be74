# SPDX-License-Identifier: Apache-2.0
"""Messages that belong together, and how they become a request to the pipeline."""
