# SPDX-License-Identifier: Apache-2.0
"""`stn bench guard`: has anything become slower than the committed figures?"""
