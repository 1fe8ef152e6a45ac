// device.cpp: see device.h.
#include "device.h"

#include <cstdlib>
#include <cstring>

namespace standin {

namespace {
constexpr size_t ALIGNMENT = 256;
constexpr size_t FENCE_BYTES = 256; // after every allocation, looked at when it is released
} // namespace

Device& Device::get() {
    static auto* device = new Device();
    return *device;
}

int Device::enter(const char* call) {
    auto injected = settings.failures.find(call);
    if (injected != settings.failures.end() && injected->second.first-- <= 0) {
        int given = injected->second.second;
        settings.failures.erase(injected);
        bool sticky = given == LAUNCH_FAILED || given == ILLEGAL_ADDRESS;
        return sticky ? fault(given, std::string("injected into ") + call) : given;
    }
    return status;
}

int Device::fault(int code, const std::string& what) {
    if (status == SUCCESS) {
        status = code;
        text = what;
    }
    return status;
}

void Device::reset(const void* context) {
    for (auto each = allocations.begin(); each != allocations.end();) {
        if (each->second.context == context) {
            std::free(each->second.block);
            used_bytes -= static_cast<long>((each->second.bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
            each = allocations.erase(each);
        } else {
            ++each;
        }
    }
    status = SUCCESS;
    text.clear();
}

int Device::allocate(uint64_t* address, size_t bytes, const void* context) {
    if (bytes == 0) return INVALID_VALUE;
    size_t rounded = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (used_bytes + static_cast<long>(rounded) > settings.memory) return OUT_OF_MEMORY;
#ifdef __SANITIZE_ADDRESS__
    // The red zone must start right behind the last byte.
    void* block = nullptr;
    if (posix_memalign(&block, ALIGNMENT, bytes) != 0) return OUT_OF_MEMORY;
    std::memset(block, POISON, bytes);
#else
    void* block = std::aligned_alloc(ALIGNMENT, rounded + FENCE_BYTES);
    if (block == nullptr) return OUT_OF_MEMORY;
    std::memset(block, POISON, rounded + FENCE_BYTES);
#endif
    *address = reinterpret_cast<uint64_t>(block);
    allocations[*address] = {bytes, block, context};
    used_bytes += static_cast<long>(rounded);
    return SUCCESS;
}

int Device::release(uint64_t address) {
    auto found = allocations.find(address);
    if (found == allocations.end()) return INVALID_VALUE;
    size_t bytes = found->second.bytes;
    size_t rounded = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    int result = SUCCESS;
#ifndef __SANITIZE_ADDRESS__
    const auto* data = static_cast<const unsigned char*>(found->second.block);
    for (size_t i = bytes; i < rounded + FENCE_BYTES && result == SUCCESS; i++) {
        if (data[i] != POISON) {
            result = fault(ILLEGAL_ADDRESS, "something wrote " + std::to_string(i - bytes)
                                                + " bytes behind the end of an allocation of " + std::to_string(bytes)
                                                + " bytes");
        }
    }
    std::memset(found->second.block, POISON, bytes);
#endif
    std::free(found->second.block);
    allocations.erase(found);
    used_bytes -= static_cast<long>(rounded);
    return result;
}

uint64_t Device::base_of(uint64_t address) const {
    auto after = allocations.upper_bound(address);
    if (after == allocations.begin()) return 0;
    auto found = std::prev(after);
    return address < found->first + found->second.bytes ? found->first : 0;
}

bool Device::contains(uint64_t address, size_t bytes) const {
    uint64_t base = base_of(address);
    return base != 0 && address + bytes <= base + allocations.at(base).bytes;
}

} // namespace standin
