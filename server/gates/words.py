"""What people may say about baselines, gates and suites, wherever it comes in."""

from typing import Annotated

from pydantic import Field, StringConstraints

# In an address, a file name and a badge it needs no quoting.
Slug = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")]
Reference = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}(@[0-9]{1,8})?$")]
Version = Annotated[str, StringConstraints(pattern=r"^(latest|[0-9]{1,8})$")]
Number = Annotated[int, Field(ge=1, le=99_999_999)]
Source = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
