"""A linear recurrence, computed in five ways that give the same states and the same gradients.

h_t = λ ⊙ h_{t-1} + u_t from h_0 = 0, with one complex number λ for each of the H units. Nothing
bends the state between two steps, so h_t is a sum of what came in, each input weighted with a
power of λ, and a sum can be computed in any order (Martin and Cundy, 2018). A λ that changes from
step to step has a module of its own, `rnnbook.layers.gated_recurrence`.

In all of them `decay` is λ, complex, (H,); `u` are the inputs, complex, (B, T, H); and the result
are all states, (B, T, H).
"""

import math

import torch
from torch import Tensor, nn
from torch.fft import fft, ifft


def powers(decay: Tensor, n: int) -> Tensor:
    """λ^0, λ^1, … λ^{n-1}, of the shape (n, H).

    Raises `ValueError` for what has no logarithm: a λ that is 0, or real and negative.
    """
    if (decay == 0 if decay.is_complex() else decay <= 0).any():
        raise ValueError("a λ is 0, or real and negative; `loop`, `scan` and `by_hand` take those")
    return torch.exp(
        torch.arange(n, device=decay.device)[:, None] * decay.log()
    )  # faster than ** for complex numbers


def loop(decay: Tensor, u: Tensor) -> Tensor:
    """Step by step, as the equation says it."""
    h, states = torch.zeros_like(u[:, 0]), []
    for u_t in u.unbind(dim=1):  # T times (B, H)
        h = decay * h + u_t
        states.append(h)
    return torch.stack(states, dim=1)


def scan(decay: Tensor, u: Tensor) -> Tensor:
    """By doubling, in log2 T passes, rounded up (Hillis and Steele, 1986).

    Before each pass, entry t is the weighted sum of its last `reach` inputs. It
    adds the entry that lies `reach` steps back, scaled, and then reaches twice as far.
    """
    h, reach, power = u, 1, decay
    while reach < u.shape[1]:
        h = torch.cat([h[:, :reach], h[:, reach:] + power * h[:, :-reach]], dim=1)
        reach, power = 2 * reach, power * power  # power = λ^reach
    return h


def triangle(decay: Tensor, n: int) -> Tensor:
    """H matrices from n inputs to n states, (n, n, H): λ^{t-s} at [t, s] if s ≤ t, else 0."""
    steps = torch.arange(n, device=decay.device)
    lag = steps[:, None] - steps
    return torch.where((lag >= 0)[..., None], powers(decay, n)[lag.clamp(min=0)], 0)


def chunked(decay: Tensor, u: Tensor, size: int = 28) -> Tensor:
    """By chunks of `size` steps: products inside the chunks, a short loop from chunk to chunk.

    Raises `ValueError` if T is not a multiple of `size`, and where `powers` does.
    """
    B, T, H = u.shape
    if T % size:
        raise ValueError(f"{T} steps do not divide into chunks of {size}; pad them with zeros")
    parts = u.view(B, T // size, size, H)
    inside = torch.einsum("tsh,bksh->bkth", triangle(decay, size), parts)  # each begun with 0
    ends = loop(decay**size, inside[:, :, -1])  # the true states after each chunk
    before = torch.cat([torch.zeros_like(ends[:, :1]), ends[:, :-1]], dim=1)  # (B, T / size, H)
    return (inside + powers(decay, size + 1)[1:] * before[:, :, None]).flatten(1, 2)


def convolution(decay: Tensor, u: Tensor) -> Tensor:
    """As a convolution of the inputs with the powers of λ, by the fast Fourier transform.

    A Fourier transform goes round in a circle; T zeros at the end keep the end from the start.
    Raises `ValueError` where `powers` does.
    """
    T = u.shape[1]
    kernel = fft(powers(decay, T), 2 * T, dim=0)  # (2T, H)
    return ifft(kernel * fft(u, 2 * T, dim=1), dim=1)[:, :T]


class ByHand(torch.autograd.Function):
    """The loop, and its gradient; see `by_hand`."""

    @staticmethod
    def forward(ctx, decay: Tensor, u: Tensor) -> Tensor:
        h = u.clone()
        for t in range(1, h.shape[1]):
            h[:, t].addcmul_(decay, h[:, t - 1])
        ctx.save_for_backward(decay, h)
        return h

    @staticmethod
    def backward(ctx, from_above: Tensor) -> tuple[Tensor, Tensor]:
        decay, h = ctx.saved_tensors
        decay, g = decay.conj().resolve_conj(), from_above.clone()
        for t in reversed(range(g.shape[1] - 1)):
            g[:, t].addcmul_(decay, g[:, t + 1])  # ∂L/∂h_t, over all paths
        return (g[:, 1:] * h[:, :-1].conj()).sum(dim=(0, 1)), g


def by_hand(decay: Tensor, u: Tensor) -> Tensor:
    """Step by step in place, with the gradient written by hand.

    The gradient of a linear recurrence is the same recurrence, run backwards, with the complex
    conjugate of λ: so autograd need not remember T steps.
    """
    return ByHand.apply(decay, u)


class LinearRecurrence(nn.Module):
    """h_t = λ ⊙ h_{t-1} + γ ⊙ (x_t W), read off after `every` steps.

    After Orvieto et al. (2023). The H numbers λ = exp(-exp(ν) + iθ) are complex and smaller than
    1 whatever ν and θ are; γ = √(1 - ``|λ|²``) keeps the states at about the size of the inputs.
    At the start, a state fades to 1/e within exp(-ν) steps, from `shortest` to `longest` (uniform
    in the logarithm), and θ is uniform between 0 and `angle`.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        shortest: float,
        longest: float,
        angle: float,
        every: int = 1,
    ):
        super().__init__()
        self.every = every
        self.ν = nn.Parameter(
            torch.empty(hidden_size).uniform_(-math.log(longest), -math.log(shortest))
        )
        self.θ = nn.Parameter(torch.empty(hidden_size).uniform_(0, angle))
        self.W = nn.Parameter(torch.randn(input_size, hidden_size, 2) / math.sqrt(2 * input_size))

    def decay(self) -> Tensor:
        """λ, complex, (H,)."""
        return torch.polar(torch.exp(-torch.exp(self.ν)), self.θ)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, T, D) → the states (B, T / every, 2H), a real part beside each imaginary one.

        The steps between two states that are read off make one product: a chunk of inputs times
        the powers of λ. Raises `ValueError` when T is no multiple of `every`.
        """
        B, T, D = x.shape
        if T % self.every:
            raise ValueError(f"{T} steps cannot be cut into chunks of {self.every}")
        decay = self.decay()
        γ = (1 - decay.abs() ** 2).sqrt()
        weights = powers(decay, self.every).flip(0)[:, None] * γ * torch.view_as_complex(self.W)
        matrix = torch.view_as_real(weights).flatten(0, 1).flatten(1)  # (every · D, 2H)
        u = x.reshape(B, T // self.every, self.every * D) @ matrix
        h = by_hand(decay**self.every, torch.view_as_complex(u.unflatten(2, (-1, 2))))
        return torch.view_as_real(h).flatten(2)
