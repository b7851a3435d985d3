"""An eye whose every place sees the whole picture, to stand beside that of `models.pictures`."""

from torch import Tensor, nn

from rnnbook.models.pictures import convolutional_encoder

GAPS = (3, 1, 5)  # in this order each of the 10 × 10 places is reached from every other one


class Around(nn.Module):
    """Adds to each place (B, C, 10, 10) what it learns from eight others, `gap` places away.

    A filter of 3 × 3 with gaps for each channel (Yu and Koltun, 2016), and a mixture of channels:
    together 9 C + C² weights. Then batch normalisation and a ReLU; x is added (He et al., 2016).
    """

    def __init__(self, channels: int, gap: int):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(
                channels, channels, 3, padding=gap, dilation=gap, groups=channels, bias=False
            ),
            nn.Conv2d(channels, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


def wide_encoder(first: int, second: int, third: int) -> nn.Sequential:
    """Convolutions from (B, 3, 40, 40) to (B, third, 10, 10), each place with a view of all.

    It is `convolutional_encoder` with three more layers before the last.
    """
    *narrow, mixing, norm, relu = convolutional_encoder(first, second, third)
    return nn.Sequential(*narrow, *(Around(second, gap) for gap in GAPS), mixing, norm, relu)
