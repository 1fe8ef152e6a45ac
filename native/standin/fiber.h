// fiber.h: suspended stacks. A stack is switched by saving the callee-saved registers of the System V ABI on it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace standin {

constexpr size_t STACK_BYTES = 128 * 1024; // a power of two: the stack of an address is found by masking
constexpr size_t PAGE_BYTES = 4096;

// Stacks of one worker. The lowest page of each is a guard: running over it is a segmentation fault, not corruption.
class StackPool {
  public:
    StackPool() = default;
    StackPool(const StackPool&) = delete;
    StackPool& operator=(const StackPool&) = delete;
    ~StackPool();

    char* take();            // lowest address of a free stack
    void give(char* bottom); // its frames are abandoned
    void reclaim();          // all stacks: no frame on any of them will be returned to

    static char* bottom_of(void* address);

  private:
    void grow();

    std::vector<void*> slabs;
    std::vector<char*> all_stacks, free_stacks;
};

// A stack pointer that starts `entry` when it is switched to. `entry` must not return.
void* prepare_stack(char* bottom, void (*entry)());

// Suspends the caller, stores its stack pointer in *save, and continues at `to`. Tells AddressSanitizer where it is.
void switch_stack(void** save, void* to);

// To be called once per worker before its first switch, and first thing on every prepared stack.
void remember_worker_stack(void* somewhere_on_it);
void entered_stack();

} // namespace standin
