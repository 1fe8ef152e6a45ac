// block.h: one block of CUDA threads on one worker, as fibers.
//
// A CUDA thread is a plain function call on the current stack. Only when it must wait (a barrier, a warp operation) is
// that stack left suspended and the next thread started on a fresh one, so a kernel that never waits never switches.
// Threads run in ascending or descending order (`Order`): a result that depends on it is a race.
#pragma once
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "fiber.h"
#include "tensor_map.h"

namespace standin {

struct Dim {
    unsigned x = 1, y = 1, z = 1;
    uint64_t count() const { return static_cast<uint64_t>(x) * y * z; }
};

enum class Order { ASCENDING, DESCENDING };

using KernelFunction = void (*)(const void* arguments);
using WarpFunction = void (*)(void** pointers, unsigned mask); // pointers[lane], valid for the lanes in mask

struct Launch {
    const char* kernel = "";
    KernelFunction function = nullptr;
    Dim grid, block;
    size_t shared_bytes = 0;
    const void* arguments = nullptr;
    Order order = Order::ASCENDING;
    bool truncating = false; // sums of tensor cores
};

constexpr int BARRIERS = 16;
constexpr unsigned char POISON = 0xff; // a NaN in f32 and bf16, -1 as an integer

// A copy that was issued but not waited for: its bytes do not arrive before the wait.
struct AsyncCopy {
    void* to;
    const void* from;
    unsigned bytes, valid; // the rest is zeroed
    bool committed;
};

// A copy of the whole block: its bytes do not arrive before somebody waits for its barrier.
struct BulkCopy {
    void* to;
    const void* from;
    unsigned bytes;
    uint64_t* barrier;
    const EncodedTensorMap* map = nullptr; // a box of it in the place of `from`
    std::array<int, 5> corner {};

    void land() const {
        if (map != nullptr) map->copy(to, corner.data());
        else std::memcpy(to, from, bytes);
    }
};

struct Block;
struct Thread;

// A thread that waits for a bulk barrier whose copies nobody has issued.
struct BulkWait {
    uint64_t* barrier;
    Thread* thread;
};

struct Warp {
    unsigned present = 0;             // lanes that exist
    unsigned ready = 0;               // lanes that can go on
    unsigned arrived = 0;             // lanes at a warp operation
    unsigned at_barrier[BARRIERS] {}; // lanes that wait there
    void* pointers[32] {};
    WarpFunction functions[32] {};
    unsigned masks[32] {};
};

struct Thread {
    Dim index;
    unsigned lane = 0;
    Warp* warp = nullptr;
    Block* block = nullptr;
    void* stack_pointer = nullptr;
    const char* waits_for = nullptr; // for the report of a deadlock
    std::vector<AsyncCopy> copies;
};

// The running thread of this worker.
extern thread_local Thread* current;

struct Block {
    // Runs the block `index` of the launch. Returns an empty string, or what went wrong.
    std::string run(const Launch& launch, Dim index);

    const Launch* launch = nullptr;
    Dim index;
    unsigned char* dynamic_shared = nullptr;
    // For the running thread:
    void expect_bulk(uint64_t* barrier, unsigned bytes);
    void copy_bulk(void* to, const void* from, unsigned bytes, uint64_t* barrier);
    void copy_box(void* to, const void* map, std::array<int, 5> corner, uint64_t* barrier);
    void wait_bulk(uint64_t* barrier, unsigned parity);
    void barrier(int id, unsigned count);
    void warp_operation(unsigned mask, void* pointer, WarpFunction function, const char* name);
    [[noreturn]] void fail(const std::string& what);

  private:
    void resize(const Launch& launch);
    bool is_overrun() const;
    void shape(const Launch& launch);
    void wait(const char* what);
    void release_if_complete(int id);
    Thread* next_ready(Warp* near);
    Thread& next_unstarted();
    void run_threads();
    void finish(Thread& thread);
    void recycle();
    [[noreturn]] void leave(void* to);
    [[noreturn]] void deadlock();
    static void entry();

    std::vector<Thread> threads;
    std::vector<Warp> warps;
    std::vector<BulkCopy> bulk_copies;
    std::vector<BulkWait> bulk_waits;
    std::vector<unsigned char> shared_memory;
    Dim shaped {0, 0, 0};
    unsigned count = 0, started = 0, finished = 0;
    size_t warp_cursor = 0;
    unsigned waiting[BARRIERS] {}, expected[BARRIERS] {};
    StackPool stacks;
    char* dead_stack = nullptr; // to be recycled by whoever runs next: nobody can free the stack it stands on
    void* worker = nullptr;
    std::string failure;
};

// Runs a whole grid on the workers; the first failure, or an empty string.
std::string run_grid(const Launch& launch, int workers);

} // namespace standin
