// record.cpp: see record.h.
#include "record.h"

#include <cstdio>
#include <cstring>

#include "stream.h"

namespace standin {

namespace {

std::FILE* file = nullptr;

template <class T>
void put(T value) { std::fwrite(&value, sizeof value, 1, file); }

void put_launch(const Operation& operation) {
    auto length = static_cast<uint32_t>(std::strlen(operation.kernel->name));
    put('K');
    put(length);
    std::fwrite(operation.kernel->name, 1, length, file);
    for (unsigned extent : {operation.grid.x, operation.grid.y, operation.grid.z, operation.block.x, operation.block.y,
                            operation.block.z}) {
        put<uint32_t>(extent);
    }
    put<uint64_t>(operation.shared_bytes);
    put<uint64_t>(operation.kernel->argument_bytes);
    std::fwrite(operation.arguments.data(), 1, operation.kernel->argument_bytes, file);
}

void put_copy(const Operation& operation) {
    Device& device = Device::get();
    if (!device.contains(operation.to, operation.bytes)) return; // to the host: nothing to do again
    bool from_device = device.contains(operation.from, operation.bytes);
    put(from_device ? 'D' : 'H');
    put<uint64_t>(operation.to);
    if (from_device) put<uint64_t>(operation.from);
    put<uint64_t>(operation.bytes);
    if (!from_device) std::fwrite(reinterpret_cast<const void*>(operation.from), 1, operation.bytes, file);
}

} // namespace

bool record_to(const char* path) {
    if (file != nullptr) std::fclose(file);
    file = path == nullptr ? nullptr : std::fopen(path, "wb");
    return path == nullptr || file != nullptr;
}

void record_allocation(uint64_t address, uint64_t bytes) {
    if (file == nullptr) return;
    put('A');
    put(address);
    put(bytes);
}

void record_release(uint64_t address) {
    if (file == nullptr) return;
    put('F');
    put(address);
}

void record_operation(const Operation& operation) {
    if (file == nullptr) return;
    switch (operation.kind) {
        case Operation::Kind::LAUNCH:
            return put_launch(operation);
        case Operation::Kind::COPY:
            return put_copy(operation);
        case Operation::Kind::SET:
            put('S');
            put(operation.to);
            put<uint64_t>(operation.bytes);
            put<uint32_t>(operation.value);
            return put<uint32_t>(operation.value_bytes);
        default: // a graph's nodes come one by one; events do nothing
            return;
    }
}

} // namespace standin
