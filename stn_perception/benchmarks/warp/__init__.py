# SPDX-License-Identifier: Apache-2.0
"""`stn bench warp`: views from frames, beside what people use today."""
