"""The bundle: sealed means sealed."""

import json

import pytest
from bundles import tiny_bundle

from skincli.bundle import copy_bundle, keyed_hashes, open_bundle, overlap
from skincli.errors import ModelError


def test_what_was_sealed_is_what_is_opened(tmp_path):
    sealed = tiny_bundle(tmp_path / "bundle")
    opened = open_bundle(tmp_path / "bundle")
    assert opened == sealed
    assert len(opened.digest) == 64


@pytest.mark.parametrize("name", ["model.onnx", "trained_on.json"])
def test_an_altered_or_missing_file_is_refused(tmp_path, name):
    bundle = tiny_bundle(tmp_path / "bundle")
    file = bundle.folder / name
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ModelError, match="SHA-256 differs"):
        open_bundle(bundle.folder)
    file.unlink()
    with pytest.raises(ModelError, match=f"lacks {name}"):
        open_bundle(bundle.folder)


@pytest.mark.parametrize(
    "change",
    [
        {"schema_version": 99},
        {"schema_version": 2},
        {"files": {"../evil": "0" * 64}},
        {"classes": [{"code": "mel"}]},
        {"unheard_of": 1},
    ],
)
def test_a_description_that_is_not_ours_is_refused(tmp_path, change):
    bundle = tiny_bundle(tmp_path / "bundle")
    path = bundle.folder / "bundle.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ModelError):
        open_bundle(bundle.folder)


def test_a_bundle_of_version_5_is_read_as_the_float32_that_it_is(tmp_path):
    bundle = tiny_bundle(tmp_path / "bundle")
    path = bundle.folder / "bundle.json"
    content = json.loads(path.read_text())
    for name in ("precision", "quantised_from"):
        del content[name]
    del content["lineage"]["parent_run_id"]
    path.write_text(json.dumps(content | {"schema_version": 5}))
    assert open_bundle(bundle.folder).spec == bundle.spec
    assert (bundle.spec.precision, bundle.spec.quantised_from) == ("float32", None)


@pytest.mark.parametrize("text", ["", "[]", "{", "\xff"])
def test_rubbish_is_refused(tmp_path, text):
    bundle = tiny_bundle(tmp_path / "bundle")
    (bundle.folder / "bundle.json").write_text(text)
    with pytest.raises(ModelError, match="cannot be read"):
        open_bundle(bundle.folder)


def test_a_copy_takes_only_what_was_sealed(tmp_path):
    bundle = tiny_bundle(tmp_path / "bundle")
    (bundle.folder / "MLmodel").write_text("not ours")
    copy = copy_bundle(bundle.folder, tmp_path / "copy")
    assert copy.digest == bundle.digest
    assert {f.name for f in copy.folder.iterdir()} == {
        "bundle.json",
        "model.onnx",
        "reference.npz",
        "trained_on.json",
    }


def test_overlap_is_recognised_without_revealing_ids(tmp_path):
    bundle = tiny_bundle(tmp_path / "bundle", files=["aa", "bb"], lesions=["set:L1"])
    assert overlap(bundle, "files", ["bb", "cc", "bb"]) == 1
    assert overlap(bundle, "lesions", ["set:L1", "other:L1"]) == 1
    assert "set:L1" not in (bundle.folder / "trained_on.json").read_text()
    assert keyed_hashes("k", ["a"]) != keyed_hashes("other", ["a"])
