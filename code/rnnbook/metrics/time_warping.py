"""Which known sequence is most like this one? Dynamic time warping, the yardstick for speech."""

import torch
from torch import Tensor


def warped_distances(one: Tensor, many: Tensor, lengths: Tensor) -> Tensor:
    """How far frames `one` (T, D) are from each of `many` (N, S, D) with lengths (N,): (N,).

    The two are walked through together; at each step one of them goes on by a frame, or both do
    (Sakoe and Chiba, 1978). The distance is the least sum of Euclidean distances of the frames
    that meet, divided by the number of frames of both.
    """
    cost = torch.cdist(one, many)  # (N, T, S)
    least = cost[:, 0].cumsum(dim=1)  # of all walks to here: (N, S)
    for row in cost[:, 1:].unbind(dim=1):  # (N, S): the next frame of `one`
        earlier = torch.cat([least[:, :1], torch.minimum(least[:, 1:], least[:, :-1])], dim=1)
        along = row.cumsum(dim=1)  # `many` may go on by itself as often as it likes
        least = along + (earlier - along + row).cummin(dim=1).values
    return least.gather(1, lengths[:, None] - 1)[:, 0] / (len(one) + lengths)
