# SPDX-License-Identifier: Apache-2.0
"""`stn bench cuda`: the kernels against the memory's speed, and everything against its peers."""
