// vendor.h: what the stand-ins for cuBLAS and cuDNN share: numbers of a type, and work on a stream of the stand-in.
//
// They have the signatures of the real libraries' headers and do what those document, in plain loops on the memory of
// the stand-in for the driver: layouts, strides and workspaces of the calls are tested so. They are not fast.
#pragma once
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#define API extern "C" __attribute__((visibility("default")))

extern "C" int cuLaunchHostFunc(void* stream, void (*function)(void*), void* given);

namespace vendor {

enum class Type { F32, BF16 };

inline float load(const void* values, Type type, int64_t i) {
    if (type == Type::F32) return static_cast<const float*>(values)[i];
    uint32_t bits = static_cast<uint32_t>(static_cast<const uint16_t*>(values)[i]) << 16;
    float value;
    std::memcpy(&value, &bits, 4);
    return value;
}

// Rounded to nearest even, to 16 bits or not at all.
inline void store(void* values, Type type, int64_t i, float value) {
    if (type == Type::F32) {
        static_cast<float*>(values)[i] = value;
        return;
    }
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    bits = value != value ? 0x7fffffffu : bits + 0x7fff + (bits >> 16 & 1);
    static_cast<uint16_t*>(values)[i] = static_cast<uint16_t>(bits >> 16);
}

// A factor of a product in TF32: 10 bits of mantissa, to nearest even.
inline float shortened(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    if ((bits >> 23 & 0xff) == 0xff) return value;
    bits = (bits + 0xfff + (bits >> 13 & 1)) & ~0x1fffu;
    std::memcpy(&value, &bits, 4);
    return value;
}

// Work in the order of the stream, once for every time that a graph with it runs. It is kept as long as the process: a
// graph may hold it.
inline int enqueue(void* stream, std::function<void()> work) {
    static std::mutex mutex;
    static auto* kept = new std::vector<std::unique_ptr<std::function<void()>>>();
    std::lock_guard<std::mutex> lock(mutex);
    kept->push_back(std::make_unique<std::function<void()>>(std::move(work)));
    return cuLaunchHostFunc(stream, [](void* given) { (*static_cast<std::function<void()>*>(given))(); },
                            kept->back().get());
}

} // namespace vendor
