#!/usr/bin/env bash
# The main job from end to end on synthetic images. Called by `make demo` with the path of skincli.
set -euo pipefail
skincli=$1
mkdir -p demo
cd demo
rm -rf mlflow.db* mlartifacts runs evaluations
printf '# Written by make demo.\nexperiment: demo\n' > skincli.yaml

say() { printf '\n\033[1m$ skincli %s\033[0m\n' "$*"; }
run() { say "$@"; "$skincli" "$@"; }

run data fetch
run data prepare
run train
run_id=$("$skincli" config show --json | python3 -c '
import json, pathlib, sys
root = pathlib.Path(json.load(sys.stdin)["config"]["run"]["root"])
print(json.loads(max(root.glob("*/run.json")).read_text())["run_id"])')
run evaluate "$run_id"
run promote "$run_id"
rm -rf images && mkdir images
python3 - <<'PY'
import zipfile
with zipfile.ZipFile("data/synthetic/raw/HAM10000_images_part_2.zip") as archive:
    for name in archive.namelist()[:6]:
        archive.extract(name, "images")
PY
run predict images --heatmaps heatmaps --csv predictions.csv

cat <<TEXT

Pictures:  demo/runs/*/curves.png
           demo/evaluations/*/report.html
           demo/heatmaps/*.png
Go on:     cd demo
           $skincli serve          # http://127.0.0.1:8000
           $skincli track start    # http://127.0.0.1:5000
The images are synthetic: none of these figures is a medical result.
TEXT
