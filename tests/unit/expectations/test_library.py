"""What the import of Great Expectations leaves out, and that it leaves no trace of it."""

import subprocess
import sys

SCRIPT = """
import sys
from dagster_project.lib.expectations.library import load_library
import dagster_project.lib.expectations.gate
assert "great_expectations" not in sys.modules, "imported before it is needed"
load_library()
assert {"altair", "scipy", "scipy.stats"}.isdisjoint(sys.modules), "imported and not needed"
import pandas as pd
gx = load_library()
frame = pd.DataFrame({"word": ["a", "b", "b", "b"]})
asset = gx.get_context(mode="ephemeral").data_sources.add_pandas("p").add_dataframe_asset("f")
batch = asset.add_batch_definition_whole_dataframe("w").get_batch({"dataframe": frame})
for weights, success in (([0.25, 0.75], True), ([0.75, 0.25], False)):
    result = batch.validate(gx.expectations.ExpectColumnKLDivergenceToBeLessThan(
        column="word", partition_object={"values": ["a", "b"], "weights": weights}, threshold=0.01))
    assert result.success is success, result
assert "scipy.stats" in sys.modules, "what needs it gets it"
import altair, scipy.stats
assert altair.Chart and scipy.stats.norm
"""


def test_what_is_left_out_comes_when_it_is_needed() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
