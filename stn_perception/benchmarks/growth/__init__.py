# SPDX-License-Identifier: Apache-2.0
"""`stn bench growth`: what one more object and one more pixel cost."""
