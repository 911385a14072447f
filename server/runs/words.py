"""What people may write about a run: texts with bounds, the same wherever they come in."""

from typing import Annotated

from pydantic import Field, StringConstraints

from server.jsonvalues import Text

# One line: no control characters, and something to see.
_LINE = r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"

Name = Annotated[str, StringConstraints(min_length=1, max_length=120, pattern=_LINE)]
Metric = Name
Label = Name  # a preset, an environment: whatever a filter may ask for
Tag = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=_LINE)]
Tags = Annotated[list[Tag], Field(max_length=50)]
LONGEST_PROSE = 20_000  # the same in the API and in every form
Prose = Annotated[Text, Field(max_length=LONGEST_PROSE)]
Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-z]{1,12}$")]
Hash = Id
Rate = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
