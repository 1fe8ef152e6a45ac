"""The study-1 U-Net (Bonnaire et al. 2025, arXiv:2505.17638) in PyTorch, written from its description."""

import math

import torch
from torch import nn
from torch.nn import functional as F

GROUPS, HEADS, TIMES, SIZE = 8, 4, 1000, 32
HAS_SDPA = hasattr(F, "scaled_dot_product_attention")


class TimeEmbedding(nn.Module):
    """Frozen sinusoids of the time index, then two layers."""

    def __init__(self, width):
        super().__init__()
        half = width // 2
        rates = torch.exp(torch.arange(half) * (-math.log(10000.0) / (half - 1)))
        angles = torch.arange(TIMES)[:, None] * rates[None, :]
        table = torch.cat([angles.sin(), angles.cos()], dim=1)
        self.time_mlp = nn.Sequential(
            nn.Embedding.from_pretrained(table, freeze=True),
            nn.Linear(width, 4 * width),
            nn.GELU(),
            nn.Linear(4 * width, 4 * width),
        )

    def forward(self, t):
        return self.time_mlp(t)


def normalise(norm, x):
    if x.dtype == norm.weight.dtype or HAS_SDPA:
        return norm(x)
    # PyTorch 1 wants the parameters in the type of the images.
    return F.group_norm(x, norm.num_groups, norm.weight.to(x.dtype), norm.bias.to(x.dtype), norm.eps)


class NormConv(nn.Module):
    """GroupNorm, SiLU, perhaps channel-wise dropout, 3x3 convolution."""

    def __init__(self, inputs, outputs, dropout=0.0):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm = nn.GroupNorm(GROUPS, inputs)
        self.dropout = dropout

    def forward(self, x):
        h = F.silu(normalise(self.norm, x))
        if self.dropout:
            h = F.dropout2d(h, self.dropout, self.training)
        return self.conv(h)


class Mhsa(nn.Module):
    """Multi-head self-attention with a packed projection, as nn.MultiheadAttention names and initialises it."""

    def __init__(self, channels, fused):
        super().__init__()
        self.in_proj_weight = nn.Parameter(torch.empty(3 * channels, channels))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * channels))
        self.out_proj = nn.Linear(channels, channels)
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)
        self.fused = fused

    def forward(self, x):  # [N,T,C]
        n, tokens, channels = x.shape
        qkv = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        q, k, v = qkv.view(n, tokens, 3, HEADS, channels // HEADS).permute(2, 0, 3, 1, 4)  # each [N,heads,T,D]
        if self.fused:
            h = F.scaled_dot_product_attention(q, k, v)
        else:
            scores = torch.matmul(q * (channels // HEADS) ** -0.5, k.transpose(-2, -1))
            h = torch.matmul(torch.softmax(scores, dim=-1), v)
        return self.out_proj(h.transpose(1, 2).reshape(n, tokens, channels))


class Attention(nn.Module):
    def __init__(self, channels, fused):
        super().__init__()
        self.group_norm = nn.GroupNorm(GROUPS, channels)
        self.mhsa = Mhsa(channels, fused)

    def forward(self, x):
        n, channels, height, width = x.shape
        tokens = normalise(self.group_norm, x).permute(0, 2, 3, 1).reshape(n, height * width, channels)
        h = self.mhsa(tokens).reshape(n, height, width, channels)
        return x + h.permute(0, 3, 1, 2)


class Residual(nn.Module):
    def __init__(self, inputs, outputs, time_width, attention, fused, dropout):
        super().__init__()
        self.block1 = NormConv(inputs, outputs)
        self.block2 = NormConv(outputs, outputs, dropout)
        self.dense = nn.Linear(time_width, outputs)
        self.res_conv = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        self.attention = Attention(outputs, fused) if attention else nn.Identity()

    def forward(self, x, embedding):
        h = self.block1(x) + self.dense(F.silu(embedding))[:, :, None, None]
        return self.attention(self.block2(h) + self.res_conv(x))


class Down(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.downsample = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x, embedding):
        return self.downsample(x)


class Up(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.upsample = nn.Sequential(
            nn.Upsample(scale_factor=2, mode="nearest"), nn.Conv2d(channels, channels, 3, padding=1))

    def forward(self, x, embedding):
        return self.upsample(x)


class UNet(nn.Module):
    """Levels of width (1, 2, 4) * W at 32, 16 and 8 pixels; attention on the two coarser ones."""

    def __init__(self, width, fused=False, dropout=0.1):
        super().__init__()

        def residual(inputs, outputs, attention):
            return Residual(inputs, outputs, 4 * width, attention, fused, dropout)

        levels = [width, 2 * width, 4 * width]
        self.time_embeddings = TimeEmbedding(width)
        self.init_conv = nn.Conv2d(1, width, 3, padding=1)
        channels, skips, encoder = width, [width], []
        for level, out in enumerate(levels):
            for _ in range(2):
                encoder.append(residual(channels, out, level > 0))
                channels = out
                skips.append(channels)
            if level < 2:
                encoder.append(Down(channels))
                skips.append(channels)
        decoder = []
        bottom = channels
        for level, out in reversed(list(enumerate(levels))):
            for _ in range(3):
                decoder.append(residual(channels + skips.pop(), out, level > 0))
                channels = out
            if level > 0:
                decoder.append(Up(channels))
        self.encoder_blocks = nn.ModuleList(encoder)
        self.decoder_blocks = nn.ModuleList(decoder)
        self.bottleneck_blocks = nn.ModuleList([residual(bottom, bottom, True), residual(bottom, bottom, False)])
        self.final_block = NormConv(width, 1)

    def forward(self, x, t):
        embedding = self.time_embeddings(t)
        h = self.init_conv(x)
        skips = [h]
        for block in self.encoder_blocks:
            h = block(h, embedding)
            skips.append(h)
        for block in self.bottleneck_blocks:
            h = block(h, embedding)
        for block in self.decoder_blocks:
            if isinstance(block, Residual):
                h = torch.cat([h, skips.pop()], dim=1)
            h = block(h, embedding)
        return self.final_block(h)
