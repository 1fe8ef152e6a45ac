// tensor_map.h: what the stand-in writes into a CUtensorMap, and the boxes that kernels take by it.
#pragma once
#include <cstdint>
#include <cstring>

namespace standin {

// Extents, box and strides innermost first; strides in bytes, of all axes but the first.
struct EncodedTensorMap {
    uint64_t address;
    uint32_t type, rank, extents[5], box[5];
    uint64_t strides[4];
    uint32_t value_bytes, swizzle, fill;

    // CU_TENSOR_MAP_SWIZZLE_NONE, _64B, _128B: the bits of an address that change its 16-byte part.
    static uintptr_t swizzled(uintptr_t at, uint32_t swizzle) {
        return swizzle == 3 ? at ^ (at >> 7 & 7) << 4 : swizzle == 2 ? at ^ (at >> 7 & 3) << 4 : at;
    }

    unsigned box_bytes() const {
        unsigned bytes = value_bytes;
        for (unsigned axis = 0; axis < rank; axis++) bytes *= box[axis];
        return bytes;
    }

    // The box from `corner` to shared memory, zeros where it is outside; 16 bytes are inside or outside.
    void copy(void* to, const int* corner) const {
        unsigned row_bytes = box[0] * value_bytes, rows = box_bytes() / row_bytes;
        for (unsigned row = 0; row < rows; row++) {
            unsigned rest = row;
            const char* from = reinterpret_cast<const char*>(address);
            bool inside = true;
            for (unsigned axis = 1; axis < rank; axis++) {
                int at = corner[axis] + static_cast<int>(rest % box[axis]);
                rest /= box[axis];
                inside = inside && at >= 0 && at < static_cast<int>(extents[axis]);
                from += at * static_cast<int64_t>(strides[axis - 1]);
            }
            for (unsigned byte = 0; byte < row_bytes; byte += 16) {
                int at = corner[0] + static_cast<int>(byte / value_bytes);
                auto place = swizzled(reinterpret_cast<uintptr_t>(to) + row * row_bytes + byte, swizzle);
                auto* part = reinterpret_cast<void*>(place);
                if (inside && at >= 0 && at < static_cast<int>(extents[0])) {
                    std::memcpy(part, from + static_cast<int64_t>(at) * value_bytes, 16);
                } else {
                    std::memset(part, 0, 16);
                }
            }
        }
    }
};
static_assert(sizeof(EncodedTensorMap) <= 128, "size of CUtensorMap");

} // namespace standin
