"""Bundles out of one registry and into another, and what is refused on the way."""

import copy
import json
import shutil
import stat
import zipfile

import onnx
import pytest
from bundles import tiny_bundle
from onnx import TensorProto, helper

from skincli.bundle import MODEL_FILE, SPEC_FILE, file_sha256
from skincli.errors import ModelError, UsageError
from skincli.progress import Silent
from skincli.tracking.lineage import trace
from skincli.tracking.registry import move_alias, new_change, read_registry, register
from skincli.tracking.store import connect
from skincli.tracking.transfer import export_model, import_model
from skincli.tracking.verifying import verify_versions

RUN_ID = "a1" * 16


@pytest.fixture
def elsewhere(config, empty_database, tmp_path):
    """Another registry, of another machine."""
    other = copy.deepcopy(config)
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    shutil.copyfile(empty_database, folder / "mlflow.db")
    other.tracking.uri = f"sqlite:///{folder}/mlflow.db"
    return other


@pytest.fixture
def bundle(tmp_path):
    return tiny_bundle(tmp_path / "tiny", run_id=RUN_ID)


def zipped(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files:
            archive.writestr(name, content)
    return path


def contents(bundle):
    return [(file.name, file.read_bytes()) for file in bundle.files]


@pytest.mark.parametrize("name", ["folder", "model.zip"])
def test_a_bundle_travels_between_registries(config, elsewhere, log_model, tmp_path, name):
    run_id, bundle = log_model(0)
    version = register(config, run_id, bundle, run_id)
    exported = export_model(config, f"models:/skin-lesion/{version}", tmp_path / "out" / name)
    assert exported.digest == bundle.digest
    assert {path.name for path in (tmp_path / "out").iterdir()} == {name}
    with pytest.raises(UsageError, match="exists already"):
        export_model(config, run_id, exported.path)

    imported = import_model(elsewhere, exported.path)
    assert (imported.version, imported.digest) == ("1", bundle.digest)
    assert read_registry(elsewhere).current("champion") is None
    again = import_model(elsewhere, exported.path)
    assert (again.version, again.run_id) == (imported.version, imported.run_id)
    walked = trace(elsewhere, "models:/skin-lesion/1")
    assert walked.run.status == "FINISHED"
    assert walked.model.bundle.spec.lineage.run_id == run_id
    [checked] = verify_versions(elsewhere, ["1"], Silent())
    assert checked.ok
    # Back home it is the version that it was.
    assert import_model(config, exported.path).version == version


def test_an_import_that_was_cut_off_is_completed(elsewhere, bundle, monkeypatch):
    from skincli.tracking import transfer

    with monkeypatch.context() as patch:
        patch.setattr(transfer, "log_bundle", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            import_model(elsewhere, bundle.folder)
    imported = import_model(elsewhere, bundle.folder)
    assert imported.version == "1"
    client = connect(elsewhere.tracking)
    runs = client.search_runs([e.experiment_id for e in client.search_experiments()])
    assert [run.info.status for run in runs] == ["FINISHED"]


@pytest.mark.parametrize("name", ["../model.onnx", "/etc/model.onnx", "..\\model.onnx", "x/y"])
def test_a_zip_with_paths_of_its_own_is_refused(elsewhere, bundle, tmp_path, name):
    evil = zipped(tmp_path / "evil.zip", [*contents(bundle)[1:], (name, b"evil")])
    with pytest.raises(ModelError, match=r"holds `"):
        import_model(elsewhere, evil)
    assert not (tmp_path.parent / "model.onnx").exists()
    assert read_registry(elsewhere).versions == ()


def test_files_that_no_hash_covers_are_refused(elsewhere, bundle, tmp_path):
    more = zipped(tmp_path / "more.zip", [*contents(bundle), ("weights.bin", b"?")])
    with pytest.raises(ModelError, match=r"holds `weights.bin`"):
        import_model(elsewhere, more)
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = zipped(tmp_path / "twice.zip", [*contents(bundle), contents(bundle)[0]])
    with pytest.raises(ModelError, match="not every file of a bundle once"):
        import_model(elsewhere, twice)
    (bundle.folder / "notes.txt").write_text("beside it")
    with pytest.raises(ModelError, match=r"holds `notes.txt`"):
        import_model(elsewhere, bundle.folder)


def test_links_are_refused(elsewhere, bundle, tmp_path):
    link = zipfile.ZipInfo(MODEL_FILE)
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    files = [(n, c) for n, c in contents(bundle) if n != MODEL_FILE]
    with pytest.raises(ModelError, match="holds a link"):
        import_model(elsewhere, zipped(tmp_path / "link.zip", [*files, (link, "/etc/passwd")]))
    moved = bundle.model.rename(tmp_path / "real.onnx")
    bundle.model.symlink_to(moved)
    with pytest.raises(ModelError, match="holds a link"):
        import_model(elsewhere, bundle.folder)


def test_damage_and_rubbish_are_refused(elsewhere, bundle, tmp_path):
    with pytest.raises(UsageError, match="there is no"):
        import_model(elsewhere, tmp_path / "nothing.zip")
    (tmp_path / "rubbish.zip").write_bytes(b"I am no zip")
    with pytest.raises(ModelError, match="no zip that can be read"):
        import_model(elsewhere, tmp_path / "rubbish.zip")
    good = zipped(tmp_path / "good.zip", contents(bundle)).read_bytes()
    cut = bytearray(good)
    at = good.index(bundle.model.read_bytes()[:64]) + 80
    cut[at : at + 8] = b"damaged!"
    (tmp_path / "cut.zip").write_bytes(cut)
    with pytest.raises(ModelError, match="no zip that can be read"):
        import_model(elsewhere, tmp_path / "cut.zip")
    changed = [(n, c + b" " if n == MODEL_FILE else c) for n, c in contents(bundle)]
    with pytest.raises(ModelError, match="SHA-256 differs"):
        import_model(elsewhere, zipped(tmp_path / "changed.zip", changed))


def reseal(bundle):
    """Make the bundle whole again, as whoever changed it would."""
    spec = json.loads((bundle.folder / SPEC_FILE).read_text())
    spec["files"][MODEL_FILE] = file_sha256(bundle.model)
    (bundle.folder / SPEC_FILE).write_text(json.dumps(spec))


@pytest.mark.parametrize("deep", [False, True], ids=["initializer", "subgraph"])
def test_weights_in_another_file_are_refused_even_when_resealed(elsewhere, bundle, deep):
    model = onnx.load(bundle.model)
    tensor = TensorProto(name="away", data_type=TensorProto.FLOAT, dims=[1])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    if deep:
        inner = helper.make_graph([], "inner", [], [], [tensor])
        model.graph.node.append(helper.make_node("If", ["x"], ["y"], then_branch=inner))
    else:
        model.graph.initializer.append(tensor)
    bundle.model.write_bytes(model.SerializeToString())
    reseal(bundle)
    with pytest.raises(ModelError, match="keeps weights in another file"):
        import_model(elsewhere, bundle.folder)
    bundle.model.write_bytes(b"no model at all")
    reseal(bundle)
    with pytest.raises(ModelError, match="no ONNX model"):
        import_model(elsewhere, bundle.folder)


def test_a_bundle_that_claims_the_run_of_another_is_refused(config, log_model, tmp_path):
    run_id, _ = log_model(0)
    false = tiny_bundle(tmp_path / "false", run_id=run_id, seed=3)
    with pytest.raises(ModelError, match="logged another one here"):
        import_model(config, false.folder)


def test_verify_finds_what_was_changed_in_the_store(config, log_model, tmp_path):
    for seed in (0, 1, 2):
        run_id, bundle = log_model(seed)
        register(config, run_id, bundle, run_id)
    assert [v.ok for v in verify_versions(config, [], Silent())] == [True] * 3
    with pytest.raises(ModelError, match="has no version 9"):
        verify_versions(config, ["9"], Silent())
    model_ids = [
        output.model_id
        for version in sorted(read_registry(config).versions, key=lambda v: v.version)
        for output in connect(config.tracking).get_run(version.run_id).outputs.model_outputs
    ]
    places = [next((tmp_path / "mlartifacts").rglob(model_id)) for model_id in model_ids]
    [network] = places[0].rglob(MODEL_FILE)
    network.write_bytes(network.read_bytes() + b" ")
    shutil.rmtree(places[1])
    # Another whole bundle in the place of the registered one.
    other = tiny_bundle(tmp_path / "other", seed=7)
    for file in other.files:
        [place] = places[2].rglob(file.name)
        shutil.copyfile(file, place)
    third, second, first = verify_versions(config, [], Silent())
    assert "SHA-256 differs" in first.fault
    assert "holds no bundle.json" in second.fault
    assert "not the one that was registered" in third.fault
    assert [each.ok for each in (first, second, third)] == [False] * 3


def test_the_lineage_leads_from_the_version_to_the_commit(config, log_model):
    run_id, bundle = log_model(0)
    version = register(config, run_id, bundle, run_id)
    move_alias(config, new_change(config, read_registry(config), "promote", version), {})
    walked = trace(config, f"models:/skin-lesion/{version}")
    assert walked.registered.aliases == ("champion",)
    assert (walked.run.run_id, walked.run.status) == (run_id, "FINISHED")
    lineage = walked.model.bundle.spec.lineage
    assert lineage.split_fingerprint == bundle.spec.lineage.split_fingerprint
    assert len(walked.config_sha256) == 64
    [change] = walked.changes
    assert (change.before, change.after) == (None, version)
    assert change.who
    of_run = trace(config, run_id)
    assert of_run.registered is None
    assert of_run.config_sha256 == walked.config_sha256
