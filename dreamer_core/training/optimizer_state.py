"""An optimizer's state as named tensors and JSON, and exactly back: no dtype changes, integers stay integers."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

# In the JSON: {"tuple": [...]} where the optimizer had a tuple, which JSON does not know.
_TUPLE = "tuple"


def flatten_optimizer(state_dict: Mapping[str, Any]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors are named `<parameter>.<what>`; parameters are numbered as the optimizer does."""
    tensors: dict[str, Tensor] = {}
    scalars: dict[str, dict[str, Any]] = {}
    for index, entries in state_dict["state"].items():
        scalars[str(index)] = {}
        for name, value in entries.items():
            if isinstance(value, Tensor):
                tensors[f"{index}.{name}"] = value
            else:
                scalars[str(index)][name] = _to_json(value)
    groups = [{name: _to_json(value) for name, value in group.items()} for group in state_dict["param_groups"]]
    return tensors, {"state": scalars, "param_groups": groups}


def unflatten_optimizer(tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> dict[str, Any]:
    """What `optimizer.load_state_dict` takes."""
    restored: dict[int, dict[str, Any]] = {
        int(index): {name: _from_json(value) for name, value in entries.items()}
        for index, entries in state["state"].items()
    }
    for key, tensor in tensors.items():
        index, _, name = key.partition(".")
        restored[int(index)][name] = tensor
    groups = [{name: _from_json(value) for name, value in group.items()} for group in state["param_groups"]]
    return {"state": restored, "param_groups": groups}


def _to_json(value: Any) -> Any:
    if isinstance(value, Tensor):
        raise TypeError("an optimizer whose settings are tensors cannot be saved; give it plain numbers")
    return {_TUPLE: [_to_json(item) for item in value]} if isinstance(value, tuple) else value


def _from_json(value: Any) -> Any:
    is_tuple = isinstance(value, dict) and value.keys() == {_TUPLE}
    return tuple(_from_json(item) for item in value[_TUPLE]) if is_tuple else value
