"""What `skincli doctor` says of DVC."""

import os

from skincli.doctor.project import data_versions


def test_a_dvc_that_is_there_tells_its_version(dvc):
    check = data_versions(dvc, os.environ)
    assert check.level == "ok"
    assert check.found.startswith("version 3.")


def test_without_one_doctor_says_how_to_install_it_and_fails_nothing(tmp_path):
    check = data_versions("dvc", {"PATH": str(tmp_path)})
    assert check.level == "warning"
    assert "uv tool install 'dvc[s3]'" in check.mend
