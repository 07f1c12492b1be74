# SPDX-License-Identifier: Apache-2.0
"""Training on the objects of a user's own recording, without labelled transforms."""
