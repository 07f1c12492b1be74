# SPDX-License-Identifier: Apache-2.0
"""From frames and boxes to canonical views, without ROS.

``pipeline.Pipeline`` is the whole job, ``archive.ModelArchive`` opens its model, and
``result_messages.ResultMessages`` turns its results into messages. Import from the modules: some
need PyTorch and OpenCV, others (``settings``, ``model_card``) do not.
"""
