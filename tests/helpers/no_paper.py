"""The comparison with a paper that reports nothing, for what is told of a study beside it."""

import pandas as pd

from retention.common.compared import COMPARED

NO_PAPER = pd.DataFrame(columns=COMPARED)
