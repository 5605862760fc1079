"""The pictures of an evaluation: one file for each kind, drawn on one canvas."""
