// draws.cuh: what of a training step's draws several kernels find: random.cu and conv2d_taps_drawn.cu.
#pragma once
#include "kernel.cuh"
#include "random.cuh"

__device__ __forceinline__ uint32_t element_word(uint64_t seed, int64_t element, int step, int purpose) {
    uint32_t w[4];
    philox(seed, (uint64_t)(element >> 2), (uint32_t)step, (uint32_t)purpose, w);
    int lane = (int)(element & 3);
    return lane < 2 ? (lane == 0 ? w[0] : w[1]) : (lane == 2 ? w[2] : w[3]);
}

// The image of a batch's place `j`, and whether it is mirrored. `a` has the fields of BatchArgs that this reads.
struct BatchImage {
    uint32_t image;
    bool mirrored;

    template <class Args>
    __device__ __forceinline__ BatchImage(const Args& a, uint64_t seed, int j) {
        int step = a.step[0];
        int64_t position = step * a.stride + a.first + j;
        image = (uint32_t)(position % a.images);
        if (a.shuffle) {
            uint32_t keys[4];
            philox(seed, (uint64_t)(position / a.images), 0, (uint32_t)a.purpose_order, keys);
            image = epoch_index(image, (uint32_t)a.images, keys);
        }
        mirrored = a.flip && (element_word(seed, a.first + j, step, a.purpose_augment) >> 31) != 0;
    }
};
