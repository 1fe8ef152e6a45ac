// driver_memory.cpp: memory and copies.
#include <cstdlib>
#include <set>

#include "record.h"
#include "driver.h"

using namespace standin;

namespace {

std::set<void*>& pinned() {
    static auto* all = new std::set<void*>();
    return *all;
}

uint64_t address(const void* p) { return reinterpret_cast<uint64_t>(p); }

enum class Side { HOST, DEVICE };

int copy(uint64_t to, Side to_side, uint64_t from, Side from_side, size_t bytes, void* stream, bool wait) {
    Device& device = Device::get();
    if (bytes == 0) return SUCCESS;
    if (to_side == Side::DEVICE && !device.contains(to, bytes)) return INVALID_VALUE;
    if (from_side == Side::DEVICE && !device.contains(from, bytes)) return INVALID_VALUE;
    if (wait) {
        if (capturing()) return CAPTURE_UNSUPPORTED;
        if (int status = drain_all(true); status != SUCCESS) return status;
    }
    Operation operation;
    operation.kind = Operation::Kind::COPY;
    operation.to = to;
    operation.from = from;
    operation.bytes = bytes;
    if (int status = stream_of(stream)->issue(std::move(operation)); status != SUCCESS) return status;
    return wait ? default_stream().drain() : SUCCESS;
}

int set(uint64_t to, unsigned value, unsigned value_bytes, size_t count, void* stream, bool wait) {
    size_t bytes = count * value_bytes;
    if (bytes == 0) return SUCCESS;
    if (!Device::get().contains(to, bytes) || to % value_bytes != 0) return INVALID_VALUE;
    if (wait) {
        if (int status = drain_all(true); status != SUCCESS) return status;
    }
    Operation operation;
    operation.kind = Operation::Kind::SET;
    operation.to = to;
    operation.bytes = bytes;
    operation.value = value;
    operation.value_bytes = value_bytes;
    if (int status = stream_of(stream)->issue(std::move(operation)); status != SUCCESS) return status;
    return wait ? default_stream().drain() : SUCCESS;
}

} // namespace

API cuMemGetInfo_v2(size_t* free_bytes, size_t* total) {
    ENTER("cuMemGetInfo");
    *total = Device::get().settings.memory;
    *free_bytes = Device::get().settings.memory - Device::get().used();
    return SUCCESS;
}

API cuMemAlloc_v2(uint64_t* pointer, size_t bytes) {
    ENTER_CONTEXT("cuMemAlloc");
    int status = Device::get().allocate(pointer, bytes, current_context_of_thread());
    if (status == SUCCESS) record_allocation(*pointer, bytes);
    return status;
}

API cuMemFree_v2(uint64_t pointer) {
    ENTER_OUTSIDE_CAPTURE("cuMemFree");
    if (pointer == 0) return SUCCESS;
    if (int status = drain_all(false); status != SUCCESS) return status;
    int status = Device::get().release(pointer);
    if (status == SUCCESS) record_release(pointer);
    return status;
}

API cuMemHostAlloc(void** pointer, size_t bytes, unsigned) {
    ENTER_CONTEXT("cuMemHostAlloc");
    *pointer = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
    if (*pointer == nullptr) return OUT_OF_MEMORY;
    pinned().insert(*pointer);
    return SUCCESS;
}

API cuMemAllocHost_v2(void** pointer, size_t bytes) { return cuMemHostAlloc(pointer, bytes, 0); }

API cuMemFreeHost(void* pointer) {
    ENTER_OUTSIDE_CAPTURE("cuMemFreeHost");
    if (int status = drain_all(false); status != SUCCESS) return status;
    if (pinned().erase(pointer) == 0) return INVALID_VALUE;
    std::free(pointer);
    return SUCCESS;
}

API cuMemcpyHtoD_v2(uint64_t to, const void* from, size_t bytes) {
    ENTER("cuMemcpyHtoD");
    return copy(to, Side::DEVICE, address(from), Side::HOST, bytes, nullptr, true);
}

API cuMemcpyDtoH_v2(void* to, uint64_t from, size_t bytes) {
    ENTER("cuMemcpyDtoH");
    return copy(address(to), Side::HOST, from, Side::DEVICE, bytes, nullptr, true);
}

API cuMemcpyDtoD_v2(uint64_t to, uint64_t from, size_t bytes) {
    ENTER("cuMemcpyDtoD");
    return copy(to, Side::DEVICE, from, Side::DEVICE, bytes, nullptr, true);
}

API cuMemcpyHtoDAsync_v2(uint64_t to, const void* from, size_t bytes, void* stream) {
    ENTER("cuMemcpyHtoDAsync");
    return copy(to, Side::DEVICE, address(from), Side::HOST, bytes, stream, false);
}

API cuMemcpyDtoHAsync_v2(void* to, uint64_t from, size_t bytes, void* stream) {
    ENTER("cuMemcpyDtoHAsync");
    return copy(address(to), Side::HOST, from, Side::DEVICE, bytes, stream, false);
}

API cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void* stream) {
    ENTER("cuMemcpyDtoDAsync");
    return copy(to, Side::DEVICE, from, Side::DEVICE, bytes, stream, false);
}

API cuMemsetD8_v2(uint64_t to, unsigned char value, size_t count) {
    ENTER_OUTSIDE_CAPTURE("cuMemsetD8");
    return set(to, value, 1, count, nullptr, true);
}

API cuMemsetD32_v2(uint64_t to, unsigned value, size_t count) {
    ENTER_OUTSIDE_CAPTURE("cuMemsetD32");
    return set(to, value, 4, count, nullptr, true);
}

API cuMemsetD8Async(uint64_t to, unsigned char value, size_t count, void* stream) {
    ENTER("cuMemsetD8Async");
    return set(to, value, 1, count, stream, false);
}

API cuMemsetD32Async(uint64_t to, unsigned value, size_t count, void* stream) {
    ENTER("cuMemsetD32Async");
    return set(to, value, 4, count, stream, false);
}
