"""Versions of the data, kept by DVC, which is called as a command.

::

    <data.root>/<name>/raw.dvc   the pointer to the raw set; for data=folder beside your own files
    dvc.yaml, params.yaml        the stages prepare → train → evaluate, and what decides them
    dvc.lock                     what prepare made of the raw set: inspected, prepared, splits
"""
