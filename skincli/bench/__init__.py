"""Measurements that anyone can repeat: what a step costs beside the least that it could cost."""
