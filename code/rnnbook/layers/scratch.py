"""The recurrences in NumPy, forward and backward: nothing but matrix products and loops.

Written to be read beside the equations. `rnnbook.layers.recurrent` has the same two networks in
PyTorch, which finds the gradients by itself; the tests hold both, and PyTorch's own layers, equal.

A name that begins with `d_` is a gradient: `d_h` is ∂L/∂h, of the shape of h. The backward passes
are backpropagation through time (Werbos, 1990): they go from the last step to the first.
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


def rnn_backward(
    x: ndarray,
    states: ndarray,
    d_states: ndarray,
    W_xh: ndarray,
    W_hh: ndarray,
    h: ndarray | None = None,
) -> dict[str, ndarray]:
    """The gradients of a loss of the states of a simple RNN.

    `states` (B, T, H) is what `rnn_forward` gave for x (B, T, D) and the first state h (B, H);
    `d_states` (B, T, H) is the gradient of the loss with respect to each of them as the loss
    uses it directly, 0 where it does not. Returns the gradients with respect to "W_xh", "W_hh",
    "b_h", "x" and the first state, "h".
    """
    h = np.zeros_like(states[:, 0]) if h is None else h
    d = {"W_xh": np.zeros_like(W_xh), "W_hh": np.zeros_like(W_hh), "x": np.zeros(x.shape)}
    d["b_h"], d["h"] = np.zeros(len(W_hh)), np.zeros_like(h)
    for t in reversed(range(x.shape[1])):
        before = states[:, t - 1] if t > 0 else h
        d_h = d_states[:, t] + d["h"]  # from the loss, and from the step after
        d_a = d_h * (1 - states[:, t] ** 2)  # through tanh
        d["W_xh"] += x[:, t].T @ d_a
        d["W_hh"] += before.T @ d_a
        d["b_h"] += d_a.sum(axis=0)
        d["x"][:, t] = d_a @ W_xh.T
        d["h"] = d_a @ W_hh.T  # for the step before
    return d


def lstm_gates(
    x_t: ndarray,
    h: ndarray,
    W_x: dict[str, ndarray],
    W_h: dict[str, ndarray],
    b: dict[str, ndarray],
) -> tuple[ndarray, ndarray, ndarray, ndarray]:
    """The gates and the candidate, i, f, g, o, (B, H) each, for x_t (B, D) and h (B, H)."""
    a = {gate: x_t @ W_x[gate] + h @ W_h[gate] + b[gate] for gate in "ifgo"}
    return sigmoid(a["i"]), sigmoid(a["f"]), np.tanh(a["g"]), sigmoid(a["o"])


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
        i, f, g, o = lstm_gates(x[:, t], h, W_x, W_h, b)  # (B, H) each
        c = f * c + i * g
        h = o * np.tanh(c)
        hidden_states.append(h)
        cell_states.append(c)
    return np.stack(hidden_states, axis=1), np.stack(cell_states, axis=1)


def lstm_backward(
    x: ndarray,
    states: tuple[ndarray, ndarray],
    d_hidden: ndarray,
    W_x: dict[str, ndarray],
    W_h: dict[str, ndarray],
    b: dict[str, ndarray],
    state: tuple[ndarray, ndarray] | None = None,
) -> dict[str, dict[str, ndarray] | ndarray]:
    """The gradients of a loss of the hidden states of an LSTM.

    `states` is what `lstm_forward` gave for x (B, T, D) and the first `state`; `d_hidden`
    (B, T, H) is the gradient of the loss with respect to each hidden state as the loss uses it
    directly. Returns the gradients with respect to "W_x", "W_h" and "b", by gate, to "x", and to
    the first state, "h" and "c". The gates are computed again rather than kept.
    """
    hidden, cells = states
    zeros = np.zeros_like(hidden[:, 0])
    h_0, c_0 = (zeros, zeros) if state is None else state
    d_W_x, d_W_h, d_b = ({gate: np.zeros_like(w[gate]) for gate in "ifgo"} for w in (W_x, W_h, b))
    d_x, d_h, d_c = np.zeros(x.shape), zeros, zeros
    for t in reversed(range(x.shape[1])):
        h, c = (hidden[:, t - 1], cells[:, t - 1]) if t > 0 else (h_0, c_0)  # of the step before
        i, f, g, o = lstm_gates(x[:, t], h, W_x, W_h, b)
        shown = np.tanh(cells[:, t])
        d_h = d_hidden[:, t] + d_h  # from the loss, and from the step after
        d_c = d_c + d_h * o * (1 - shown**2)  # from the step after, and through h_t
        d_a = {  # what goes into the sigmoids and the tanh of the gates
            "i": d_c * g * i * (1 - i),
            "f": d_c * c * f * (1 - f),
            "g": d_c * i * (1 - g**2),
            "o": d_h * shown * o * (1 - o),
        }
        for gate in "ifgo":
            d_W_x[gate] += x[:, t].T @ d_a[gate]
            d_W_h[gate] += h.T @ d_a[gate]
            d_b[gate] += d_a[gate].sum(axis=0)
        d_x[:, t] = sum(d_a[gate] @ W_x[gate].T for gate in "ifgo")
        d_h = sum(d_a[gate] @ W_h[gate].T for gate in "ifgo")  # for the step before
        d_c = d_c * f
    return {"W_x": d_W_x, "W_h": d_W_h, "b": d_b, "x": d_x, "h": d_h, "c": d_c}
