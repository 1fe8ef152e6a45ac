package dev.rote.bench;

import dev.rote.graph.Cost;

/// What a GPU can do at most, as seen on it: 790 TFLOP/s of bf16 products, twice that in 8 bits, and
/// 4.3 TB/s of copies on an H200.
///
/// @param terabytes per second, read and written
record Ceiling(double terabytes) {
    private static double teraflops(String type) {
        return switch (type) {
            case "bf16" -> 790;
            case "u8" -> 1580;
            case "tf32" -> 395; // half of bf16
            default -> 67; // outside the tensor cores
        };
    }

    double floorMs(String type, Cost cost) {
        return floorMs(type, cost.flops(), cost.bytes());
    }

    double floorMs(String type, long flops, long bytes) {
        return Math.max(flops / teraflops(type), bytes / terabytes) * 1e-9;
    }
}
