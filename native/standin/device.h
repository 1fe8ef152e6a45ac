// device.h: the one device of the stand-in: its settings, its memory, and what went wrong with it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "block.h"

namespace standin {

// The codes of CUresult that the stand-in gives.
enum Status : int {
    SUCCESS = 0,
    INVALID_VALUE = 1,
    OUT_OF_MEMORY = 2,
    NOT_INITIALIZED = 3,
    NO_DEVICE = 100,
    INVALID_DEVICE = 101,
    INVALID_IMAGE = 200,
    INVALID_CONTEXT = 201,
    NO_BINARY_FOR_GPU = 209,
    INVALID_HANDLE = 400,
    NOT_FOUND = 500,
    NOT_READY = 600,
    ILLEGAL_ADDRESS = 700,
    LAUNCH_FAILED = 719,
    NOT_SUPPORTED = 801,
    CAPTURE_UNSUPPORTED = 900,
    CAPTURE_INVALIDATED = 901,
    CAPTURE_UNMATCHED = 903,
    CAPTURE_UNJOINED = 904,
};

// Settings, by rote_standin_set; every one has a value that behaves like a small Ampere device.
struct Settings {
    Order order = Order::ASCENDING; // of threads, blocks, streams and independent nodes of a graph
    int workers = 0;                // 0: as many as the machine has
    long memory = 8L << 30;
    int driver = 13000;
    int devices = 1;
    int capability = 80;
    bool truncate = false;          // tensor cores round sums of floats toward zero, not to nearest
    std::map<std::string, std::pair<long, int>> failures; // call -> (after so many good calls, status)
};

// Everything behind one lock: the driver API may be called from any thread.
class Device {
  public:
    static Device& get();

    std::recursive_mutex mutex;
    Settings settings;

    // Status of a call: an injected failure, or the fault that the device still has.
    int enter(const char* call);

    // Marks the device as lost, as a fault in a kernel does: everything fails until it is reset.
    int fault(int status, const std::string& what);
    const std::string& fault_text() const { return text; }
    // The end of a context: the device is well again, and the memory that the context allocated is released.
    void reset(const void* context);

    int allocate(uint64_t* address, size_t bytes, const void* context = nullptr);
    int release(uint64_t address);
    bool contains(uint64_t address, size_t bytes) const;
    long used() const { return used_bytes; }
    // Base of the allocation that holds the address, 0 if there is none.
    uint64_t base_of(uint64_t address) const;

  private:
    struct Allocation {
        size_t bytes;
        void* block;
        const void* context;
    };
    std::map<uint64_t, Allocation> allocations;
    long used_bytes = 0;
    int status = SUCCESS;
    std::string text;
};

} // namespace standin
