# mypy: ignore-errors
"""Triton kernels of the sampled convolution: forward, gradient of the columns, of the weight.

A program owns a block of output locations. For each tap it finds where they read, either from
explicit positions or by drawing from a counter, gathers the columns into registers and multiplies
them there: neither columns nor drawn positions reach memory. A backward pass redraws what the
forward pass drew.

Layouts: `weight` is packed to (T, Cin / G, Cout), positions are (B or 1, T, 2, P), masks
(B or 1, T, P), all contiguous; images and gradients of outputs have any strides.
"""

import triton
import triton.language as tl

from saccade.ops.fused.sampling import (
    axis,
    channel_pointers,
    gather,
    long,
    multiply_add,
    out_pointers,
    pixels,
    place,
    tap_factor,
)


@triton.jit
def forward_kernel(
    image,
    weight,
    bias,
    where,
    mask,
    out,
    sizes,
    image_strides,
    out_strides,
    mode: tl.constexpr,
    blocks: tl.constexpr,
):
    """out[b, o, p] = bias[o] + sum over t, c of factor * weight[t, c, o] * image[b, c, at].

    Grid: (blocks of locations, groups * blocks of outputs, B).
    """
    kind: tl.constexpr = image.dtype.element_ty
    in_group = tl.cdiv(sizes.outputs, blocks.outputs)
    group = tl.program_id(1) // in_group
    o = (tl.program_id(1) % in_group) * blocks.outputs + tl.arange(0, blocks.outputs)
    o_ok, o = o < sizes.outputs, group * sizes.outputs + o
    p = tl.program_id(0) * blocks.points + tl.arange(0, blocks.points)
    p_ok = p < sizes.points
    b = tl.program_id(2).to(tl.int64)
    point_block: tl.constexpr = blocks.points
    output_block: tl.constexpr = blocks.outputs
    total = tl.zeros((point_block, output_block), tl.float32)
    for tap in range(sizes.taps):
        y, x = place(where, b, p, p_ok, tap, sizes, mode)
        ys, xs = axis(y, sizes.height, mode), axis(x, sizes.width, mode)
        factor = tap_factor(mask, b, p, p_ok, tap, sizes, mode)
        for first in range(0, sizes.channels, blocks.channels):
            c = first + tl.arange(0, blocks.channels)
            c_ok = c < sizes.channels
            channel = channel_pointers(image, b, group * sizes.channels + c, image_strides)
            ok = p_ok[:, None] & c_ok[None, :]
            read = gather(channel, ys, xs, factor, ok, image_strides, mode, kind)
            row = (tap * sizes.channels + c) * (sizes.groups * sizes.outputs)
            ok = c_ok[:, None] & o_ok[None, :]
            kernel = tl.load(weight + row[:, None] + o[None, :], mask=ok, other=0.0)
            total = multiply_add(read, kernel, total, mode)
    if mode.biased:
        total += tl.load(bias + o, mask=o_ok, other=0.0).to(tl.float32)[None, :]
    at = out_pointers(out, b, p, o, sizes, out_strides)
    tl.store(at, total.to(out.dtype.element_ty), mask=p_ok[:, None] & o_ok[None, :])


@triton.jit
def _columns_grad(
    grad,
    weight,
    b,
    p,
    p_ok,
    c,
    c_ok,
    group,
    tap,
    sizes,
    strides,
    mode: tl.constexpr,
    blocks: tl.constexpr,
):
    """Gradient (locations, channels) of the columns of one tap."""
    point_block: tl.constexpr = blocks.points
    channel_block: tl.constexpr = blocks.channels
    total = tl.zeros((point_block, channel_block), tl.float32)
    row = (tap * sizes.channels + c) * (sizes.groups * sizes.outputs)
    for first in range(0, sizes.outputs, blocks.outputs):
        o = first + tl.arange(0, blocks.outputs)
        o_ok, o = o < sizes.outputs, group * sizes.outputs + o
        at = out_pointers(grad, b, p, o, sizes, strides)
        upstream = tl.load(at, mask=p_ok[:, None] & o_ok[None, :], other=0.0)
        ok = o_ok[:, None] & c_ok[None, :]
        kernel = tl.load(weight + o[:, None] + row[None, :], mask=ok, other=0.0)
        total = multiply_add(upstream, kernel, total, mode)
    return total


@triton.jit
def _scatter(target, ys, xs, factor, grad, ok, strides, mode: tl.constexpr):
    """Adds the columns' gradient to the pixels that were read."""
    row, column = ys[0] * strides.y, xs[0] * strides.x
    value = grad * (factor * ys[2] * xs[2])[:, None]
    tl.atomic_add(target + (row + column)[:, None], value, mask=ok, sem="relaxed")
    if mode.bilinear:
        row_1, column_1 = ys[1] * strides.y, xs[1] * strides.x
        value = grad * (factor * ys[2] * xs[3])[:, None]
        tl.atomic_add(target + (row + column_1)[:, None], value, mask=ok, sem="relaxed")
        value = grad * (factor * ys[3] * xs[2])[:, None]
        tl.atomic_add(target + (row_1 + column)[:, None], value, mask=ok, sem="relaxed")
        value = grad * (factor * ys[3] * xs[3])[:, None]
        tl.atomic_add(target + (row_1 + column_1)[:, None], value, mask=ok, sem="relaxed")


@triton.jit
def _inner(channel, ys, xs, grad, ok, strides, mode: tl.constexpr):
    """Sums over the channels of gradient times pixel, for the four corners."""
    row, column = ys[0] * strides.y, xs[0] * strides.x
    s00 = tl.sum(grad * pixels(channel, row, column, ok), axis=1)
    s01, s10, s11 = s00, s00, s00
    if mode.bilinear:
        row_1, column_1 = ys[1] * strides.y, xs[1] * strides.x
        s01 = tl.sum(grad * pixels(channel, row, column_1, ok), axis=1)
        s10 = tl.sum(grad * pixels(channel, row_1, column, ok), axis=1)
        s11 = tl.sum(grad * pixels(channel, row_1, column_1, ok), axis=1)
    return s00, s01, s10, s11


@triton.jit
def columns_grad_kernel(
    grad,
    image,
    weight,
    where,
    mask,
    image_grad,
    where_grad,
    mask_grad,
    sizes,
    grad_strides,
    image_strides,
    target_strides,
    mode: tl.constexpr,
    blocks: tl.constexpr,
    wanted: tl.constexpr,
):
    """Gradients of the image, the positions and the mask, all from that of the columns.

    The image's is summed in float32 by atomic additions: what meets in a pixel comes in any
    order. Positions (bilinear only) and mask need the sum over all channels.
    Grid: (blocks of locations, shares of the blocks of channels, B), with a single share where
    `wanted` has positions or mask.
    """
    in_group = tl.cdiv(sizes.channels, blocks.channels)
    p = tl.program_id(0) * blocks.points + tl.arange(0, blocks.points)
    p_ok = p < sizes.points
    b = tl.program_id(2).to(tl.int64)
    for tap in range(sizes.taps):
        y, x = place(where, b, p, p_ok, tap, sizes, mode)
        ys, xs = axis(y, sizes.height, mode), axis(x, sizes.width, mode)
        factor = tap_factor(mask, b, p, p_ok, tap, sizes, mode)
        # Corners (y, x): 0 the lower neighbour, 1 the upper one.
        point_block: tl.constexpr = blocks.points
        sum_00 = tl.zeros((point_block,), tl.float32)
        sum_01, sum_10, sum_11 = sum_00, sum_00, sum_00
        for block in range(tl.program_id(1), sizes.groups * in_group, tl.num_programs(1)):
            group = block // in_group
            c = (block % in_group) * blocks.channels + tl.arange(0, blocks.channels)
            c_ok = c < sizes.channels
            ok = p_ok[:, None] & c_ok[None, :]
            total = _columns_grad(
                grad, weight, b, p, p_ok, c, c_ok, group, tap, sizes, grad_strides, mode, blocks
            )
            c = group * sizes.channels + c
            if wanted.image:
                target = channel_pointers(image_grad, b, c, target_strides)
                _scatter(target, ys, xs, factor, total, ok, target_strides, mode)
            if wanted.where or wanted.mask:
                channel = channel_pointers(image, b, c, image_strides)
                s00, s01, s10, s11 = _inner(channel, ys, xs, total, ok, image_strides, mode)
                sum_00, sum_01, sum_10, sum_11 = (
                    sum_00 + s00,
                    sum_01 + s01,
                    sum_10 + s10,
                    sum_11 + s11,
                )
        start = (b * sizes.taps + tap) * sizes.points + p
        if wanted.where:
            by_y = ys[4] * (xs[2] * sum_00 + xs[3] * sum_01) + ys[5] * (
                xs[2] * sum_10 + xs[3] * sum_11
            )
            by_x = xs[4] * (ys[2] * sum_00 + ys[3] * sum_10) + xs[5] * (
                ys[2] * sum_01 + ys[3] * sum_11
            )
            at = where_grad + start + (b * sizes.taps + tap) * sizes.points
            tl.store(at, factor * by_y, mask=p_ok)
            tl.store(at + sizes.points, factor * by_x, mask=p_ok)
        if wanted.mask:
            value = ys[2] * xs[2] * sum_00
            if mode.bilinear:
                value += ys[2] * xs[3] * sum_01 + ys[3] * xs[2] * sum_10 + ys[3] * xs[3] * sum_11
            tl.store(mask_grad + start, value, mask=p_ok)


@triton.jit
def weight_grad_kernel(
    grad,
    image,
    where,
    mask,
    partial,
    sizes,
    grad_strides,
    image_strides,
    mode: tl.constexpr,
    blocks: tl.constexpr,
):
    """Gradient (shares, T, Cin / G, Cout) of the weight, each share from some of the locations.

    Grid: (T * groups * blocks of channels * blocks of outputs, shares).
    """
    kind: tl.constexpr = image.dtype.element_ty
    c_blocks = tl.cdiv(sizes.channels, blocks.channels)
    o_blocks = tl.cdiv(sizes.outputs, blocks.outputs)
    tap, rest = tl.program_id(0) % sizes.taps, tl.program_id(0) // sizes.taps
    o = (rest % o_blocks) * blocks.outputs + tl.arange(0, blocks.outputs)
    rest = rest // o_blocks
    c = (rest % c_blocks) * blocks.channels + tl.arange(0, blocks.channels)
    group = rest // c_blocks
    c_ok, o_ok, o = c < sizes.channels, o < sizes.outputs, group * sizes.outputs + o
    p_blocks = tl.cdiv(sizes.points, blocks.points)
    channel_block: tl.constexpr = blocks.channels
    output_block: tl.constexpr = blocks.outputs
    total = tl.zeros((channel_block, output_block), tl.float32)
    for block in range(tl.program_id(1), sizes.batch * p_blocks, tl.num_programs(1)):
        b = long(block // p_blocks)
        p = (block % p_blocks) * blocks.points + tl.arange(0, blocks.points)
        p_ok = p < sizes.points
        y, x = place(where, b, p, p_ok, tap, sizes, mode)
        ys, xs = axis(y, sizes.height, mode), axis(x, sizes.width, mode)
        factor = tap_factor(mask, b, p, p_ok, tap, sizes, mode)
        channel = channel_pointers(image, b, group * sizes.channels + c, image_strides)
        ok = p_ok[:, None] & c_ok[None, :]
        read = gather(channel, ys, xs, factor, ok, image_strides, mode, kind)
        at = out_pointers(grad, b, p, o, sizes, grad_strides)
        upstream = tl.load(at, mask=p_ok[:, None] & o_ok[None, :], other=0.0)
        total = multiply_add(tl.trans(read), upstream, total, mode)
    row = (long(tl.program_id(1)) * sizes.taps + tap) * sizes.channels + c
    at = partial + row[:, None] * (sizes.groups * sizes.outputs) + o[None, :]
    tl.store(at, total, mask=c_ok[:, None] & o_ok[None, :])
