"""The recurrences in NumPy: nothing but matrix products and loops.

Written to be read beside the equations. `rnnbook.cells` has the same two networks in PyTorch,
which finds the gradients; the tests hold the two, and PyTorch's own layers, equal.
"""

import numpy as np
from numpy import ndarray


def sigmoid(z: ndarray) -> ndarray:
    """1 / (1 + e^-z), entry by entry: any number becomes one between 0 and 1.

    Written with tanh, which does not overflow, however far z is from 0.
    """
    return 0.5 * (1 + np.tanh(0.5 * z))


def rnn_forward(
    x: ndarray, W_xh: ndarray, W_hh: ndarray, b_h: ndarray, h: ndarray | None = None
) -> ndarray:
    """All states (B, T, H) of a simple RNN that reads x (B, T, D) from the state h (B, H).

    W_xh is (D, H), W_hh (H, H), b_h (H,). By default the first state is zero (Elman, 1990).
    """
    B, T, _ = x.shape
    h = np.zeros((B, len(b_h))) if h is None else h
    states = []
    for t in range(T):
        h = np.tanh(x[:, t] @ W_xh + h @ W_hh + b_h)  # (B, H)
        states.append(h)
    return np.stack(states, axis=1)


def lstm_forward(
    x: ndarray,
    W_x: dict[str, ndarray],
    W_h: dict[str, ndarray],
    b: dict[str, ndarray],
    state: tuple[ndarray, ndarray] | None = None,
) -> tuple[ndarray, ndarray]:
    """All hidden states and cell states, (B, T, H) each, of an LSTM that reads x (B, T, D).

    The weights are kept by gate: W_x["i"] is (D, H), W_h["i"] (H, H), b["i"] (H,), and so on for
    "f", "g" and "o". `state` is (h, c), by default zero (Gers et al., 2000).
    """
    B, T, _ = x.shape
    zeros = np.zeros((B, len(b["i"])))
    h, c = (zeros, zeros) if state is None else state
    hidden_states, cell_states = [], []
    for t in range(T):
        z = {gate: x[:, t] @ W_x[gate] + h @ W_h[gate] + b[gate] for gate in "ifgo"}
        i, f, o = sigmoid(z["i"]), sigmoid(z["f"]), sigmoid(z["o"])  # (B, H) each
        g = np.tanh(z["g"])
        c = f * c + i * g
        h = o * np.tanh(c)
        hidden_states.append(h)
        cell_states.append(c)
    return np.stack(hidden_states, axis=1), np.stack(cell_states, axis=1)
