# mypy: ignore-errors
"""What the Triton kernels share: where a tap reads, and the reading.

`half_normals` repeats `ops/philox.py` operation by operation. Launch every kernel with
`enable_fp_fusion=False`: a fused multiply-add rounds once instead of twice, and a drawn position
would differ.
"""

import triton
import triton.language as tl

from saccade.ops import philox

_ODD_SCALE = tl.constexpr(1 / (1 << 24))
_SQRT_TWO = tl.constexpr(philox.SQRT_TWO)
_TWO_LOG_TWO = tl.constexpr(philox.TWO_LOG_TWO)
_L = [tl.constexpr(value) for value in philox.LOGARITHM]
_L0, _L1, _L2, _L3, _L4, _L5, _L6, _L7, _L8 = _L
_S0, _S1, _S2, _S3, _S4 = [tl.constexpr(value) for value in philox.SINE]


@triton.jit
def _sine(turn):
    z = turn * turn
    value = z * _S4 + _S3
    value = value * z + _S2
    value = value * z + _S1
    return turn * (value * z + _S0)


@triton.jit
def _radius(number):
    bits = number.to(tl.int32, bitcast=True)
    mantissa = ((bits & 0x7FFFFF) | 0x3F800000).to(tl.float32, bitcast=True)
    upper = mantissa > _SQRT_TWO
    exponent = (bits >> 23) - 127 + upper.to(tl.int32)
    rest = tl.where(upper, mantissa * 0.5, mantissa) - 1.0
    value = rest * _L8 + _L7
    value = value * rest + _L6
    value = value * rest + _L5
    value = value * rest + _L4
    value = value * rest + _L3
    value = value * rest + _L2
    value = value * rest + _L1
    value = value * rest + _L0
    return tl.sqrt_rn((24 - exponent).to(tl.float32) * _TWO_LOG_TWO + rest * value)


@triton.jit
def half_normals(seed, pixel, tap):
    """`philox.half_normals` at the counter (pixel, tap, 0, 0)."""
    zero = pixel * 0
    first, second, _, _ = tl.philox(seed, pixel, zero + tap, zero, zero)
    # The upper 23 bits: positive as int32.
    radius = _radius(((first >> 9).to(tl.int32) * 2 + 1).to(tl.float32))
    share = ((second >> 9).to(tl.int32) * 2 + 1).to(tl.float32) * _ODD_SCALE
    return radius * _sine(1.0 - share), radius * _sine(share)


@triton.jit
def long(number):
    """The number as int64; a size of 1 arrives as a constant and not as a tensor."""
    return tl.full((), number, tl.int64)


@triton.jit
def _real(number):
    return tl.full((), number, tl.float32)


@triton.jit
def place(where, b, p, p_ok, tap, sizes, mode: tl.constexpr):
    """Position (y, x) of a tap at the locations `p`; `where` is the seed or the positions."""
    if mode.drawn:
        pixel = p if mode.per_location else p * 0
        half_y, half_x = half_normals(tl.load(where), pixel, tap if mode.per_tap else tap * 0)
        step_y = _real(tap // sizes.kernel_width - sizes.first_y)
        step_x = _real(tap % sizes.kernel_width - sizes.first_x)
        y = (p // sizes.out_width).to(tl.float32) + (half_y * sizes.reach_y) * step_y
        x = (p % sizes.out_width).to(tl.float32) + (half_x * sizes.reach_x) * step_x
        if mode.whole:
            y, x = tl.floor(y), tl.floor(x)
    else:
        at = where + b * sizes.where_batch + long(tap) * 2 * sizes.points + p
        y = tl.load(at, mask=p_ok, other=0.0)
        x = tl.load(at + sizes.points, mask=p_ok, other=0.0)
    return y, x


@triton.jit
def tap_factor(mask, b, p, p_ok, tap, sizes, mode: tl.constexpr):
    """What a tap is multiplied by at each location."""
    if mode.masked:
        at = mask + b * sizes.mask_batch + long(tap) * sizes.points + p
        factor = tl.load(at, mask=p_ok, other=0.0)
    else:
        factor = tl.full(p.shape, 1.0, tl.float32)
    return factor


@triton.jit
def _index(value, size):
    """A rounded coordinate as an index inside the map, also for NaN."""
    near = tl.minimum(tl.maximum(value, 0.0), _real(size - 1)).to(tl.int32)
    return tl.minimum(tl.maximum(near, 0), size - 1).to(tl.int64)


@triton.jit
def axis(value, size, mode: tl.constexpr):
    """The neighbours on an axis: two indices, their shares, the derivatives of the shares.

    Nearest sampling has only the first; its share is 1, or 0 outside with a zero border.
    """
    last = _real(size - 1)
    if mode.bilinear:
        low_in = (value >= 0.0) & (value <= last)
        high_in = low_in
        if not mode.zero:
            value = tl.minimum(tl.maximum(value, 0.0), last)
        low = tl.floor(value)
        low_share, high_share = 1.0 - (value - low), value - low
        if mode.zero:
            low_in = (low >= 0.0) & (low <= last)
            high_in = (low >= -1.0) & (low + 1.0 <= last)
            low_share = tl.where(low_in, low_share, 0.0)
            high_share = tl.where(high_in, high_share, 0.0)
        low_slope, high_slope = tl.where(low_in, -1.0, 0.0), tl.where(high_in, 1.0, 0.0)
        high = _index(low + 1.0, size)
    else:
        low = tl.floor(value + 0.5)
        low_share = tl.full(value.shape, 1.0, tl.float32)
        if mode.zero:
            low_share = tl.where((low >= 0.0) & (low <= last), low_share, 0.0)
        high, high_share, low_slope, high_slope = low, low_share, low_share, low_share
    return _index(low, size), high, low_share, high_share, low_slope, high_slope


@triton.jit
def pixels(channel, row, column, ok):
    """One pixel per location: (locations, channels) in float32."""
    return tl.load(channel + (row + column)[:, None], mask=ok, other=0.0).to(tl.float32)


@triton.jit
def gather(channel, ys, xs, factor, ok, strides, mode: tl.constexpr, kind: tl.constexpr):
    """The columns (locations, channels) of one tap in the dtype `kind`."""
    row, column = ys[0] * strides.y, xs[0] * strides.x
    value = pixels(channel, row, column, ok) * (factor * ys[2] * xs[2])[:, None]
    if mode.bilinear:
        row_1, column_1 = ys[1] * strides.y, xs[1] * strides.x
        value += pixels(channel, row, column_1, ok) * (factor * ys[2] * xs[3])[:, None]
        value += pixels(channel, row_1, column, ok) * (factor * ys[3] * xs[2])[:, None]
        value += pixels(channel, row_1, column_1, ok) * (factor * ys[3] * xs[3])[:, None]
    return value.to(kind)


@triton.jit
def out_pointers(tensor, b, p, c, sizes, strides):
    """Pointers (locations, channels) into a (B, C, Ho, Wo) tensor."""
    place = (p // sizes.out_width).to(tl.int64) * strides.y
    place += (p % sizes.out_width).to(tl.int64) * strides.x
    return tensor + b * strides.b + place[:, None] + (c.to(tl.int64) * strides.c)[None, :]


@triton.jit
def channel_pointers(image, b, c, strides):
    """Pointers (1, channels) to the first pixel of an image's channels."""
    return image + b * strides.b + (c.to(tl.int64) * strides.c)[None, :]


@triton.jit
def multiply_add(left, right, total, mode: tl.constexpr):
    """`total` + `left` @ `right`, in float32."""
    if mode.widen:
        left, right = left.to(tl.float32), right.to(tl.float32)
    return tl.dot(left, right, total, input_precision=mode.precision)
