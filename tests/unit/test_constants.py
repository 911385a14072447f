"""Small tensors that are made once."""

import torch

from dreamer_core.models.constants import constant, first_classes

CPU = torch.device("cpu")


def test_a_constant_is_made_once_for_each_type() -> None:
    single = constant(1e-3, torch.float32, CPU)
    assert constant(1e-3, torch.float32, CPU) is single
    double = constant(1e-3, torch.float64, CPU)
    assert (double.item(), double.dtype) == (1e-3, torch.float64)


def test_the_first_classes_are_where_each_variable_begins() -> None:
    assert first_classes(3, 4, CPU).tolist() == [0, 4, 8]
