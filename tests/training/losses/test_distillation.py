"""The distance to a teacher against its definition and finite differences."""

import math

import pytest
import torch

from training.losses.distillation import cosine_distance


def rows(seed, n_rows=5, dimension=7):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n_rows, dimension, generator=generator, dtype=torch.float64)


def naive(student, teacher):
    total = 0.0
    for own, other in zip(student.tolist(), teacher.tolist(), strict=True):
        dot = sum(a * b for a, b in zip(own, other, strict=True))
        lengths = math.sqrt(sum(a * a for a in own)) * math.sqrt(sum(b * b for b in other))
        total += 1.0 - dot / lengths
    return total / len(student)


def test_it_is_the_mean_of_one_minus_the_cosine():
    student, teacher = rows(0), rows(1)

    assert float(cosine_distance(student, teacher)) == pytest.approx(naive(student, teacher))


def test_length_plays_no_part_and_direction_does():
    student = rows(0)

    assert float(cosine_distance(student, 3.0 * student)) == pytest.approx(0.0, abs=1e-12)
    assert float(cosine_distance(student, -student)) == pytest.approx(2.0)


def test_the_gradient_is_that_of_finite_differences_and_stays_with_the_student():
    student, teacher = rows(0).requires_grad_(), rows(1).requires_grad_()

    assert torch.autograd.gradcheck(lambda one: cosine_distance(one, teacher), student)
    cosine_distance(student, teacher).backward()
    assert teacher.grad is None
