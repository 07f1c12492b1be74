# SPDX-License-Identifier: Apache-2.0
"""`stn bench pipeline`: frames and boxes in, canonical objects out, stage by stage."""
