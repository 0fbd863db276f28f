"""Size a folder of Parquet with Dask, into another folder.

    python docs/recipes/dask_fleet.py FLEET SIZED [--provider aws] [--scheduler tcp://10.0.0.1:8786]

Every row of FLEET is written to SIZED with the answer columns. The run is complete when SIZED contains `_SUCCESS`,
which is written last; then a summary is printed as one line of JSON, counted from what was written. Exit code 1 means
that some rows could not be sized; the column `problem` says why.
"""

import argparse
import json
import os
import sys
from pathlib import Path

import dask.dataframe as dd
from dask.distributed import Client

from etcdsize import EtcdSizeError, load_tiers
from etcdsize.frames.dask import size_dataframe


def main() -> int:
    parser = argparse.ArgumentParser(description="Size a folder of Parquet with Dask, into another folder.")
    parser.add_argument("fleet", type=Path, help="the folder to read")
    parser.add_argument("sized", type=Path, help="the folder to write; it must not exist")
    parser.add_argument("--provider", help="the provider of every cluster (default: the column provider)")
    parser.add_argument("--scheduler", help="the address of a cluster (default: one local process per core)")
    options = parser.parse_args()
    if options.sized.exists():
        state = "complete" if (options.sized / "_SUCCESS").exists() else "incomplete: a run was interrupted"
        parser.error(f"{options.sized} exists already ({state}); remove it or write to another folder")

    here = {
        "n_workers": os.cpu_count(),
        "threads_per_worker": 1,
        "host": "127.0.0.1",
        "dashboard_address": "127.0.0.1:0",
    }
    with Client(options.scheduler) if options.scheduler else Client(**here):
        # With Arrow types, integers with nulls stay integers, and a null is not NaN.
        fleet = dd.read_parquet(options.fleet, dtype_backend="pyarrow")
        try:
            sized = size_dataframe(fleet, provider=options.provider)
        except EtcdSizeError as error:
            parser.error(f"{options.fleet}: {error}")
        sized.to_parquet(options.sized, write_index=False)

        written = dd.read_parquet(options.sized, columns=["tier"])["tier"]
        counted = written.astype("string[pyarrow]").value_counts(dropna=False).compute().to_dict()
    tiers = {name: int(counted.get(name, 0)) for name in load_tiers("guide").names}
    not_sized = int(sum(counted.values())) - sum(tiers.values())
    (options.sized / "_SUCCESS").touch()
    print(json.dumps({"clusters": not_sized + sum(tiers.values()), "not_sized": not_sized, "tiers": tiers}))
    return 1 if not_sized else 0


if __name__ == "__main__":
    sys.exit(main())
