// block.cpp: see block.h.
#include "block.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <mutex>
#include <thread>

namespace standin {

thread_local Thread* current = nullptr;

namespace {

// Bytes behind a block's shared memory that nobody may write; who reads them finds NaN. AddressSanitizer needs none.
#if defined(__SANITIZE_ADDRESS__)
constexpr size_t BEHIND = 0;
#else
constexpr size_t BEHIND = 4096;
#endif

std::string text(Dim d) {
    return "(" + std::to_string(d.x) + "," + std::to_string(d.y) + "," + std::to_string(d.z) + ")";
}

Dim unflatten(uint64_t i, Dim shape) {
    return {static_cast<unsigned>(i % shape.x), static_cast<unsigned>(i / shape.x % shape.y),
            static_cast<unsigned>(i / shape.x / shape.y)};
}

unsigned first(unsigned mask, Order order) {
    return order == Order::ASCENDING ? __builtin_ctz(mask) : 31 - __builtin_clz(mask);
}

} // namespace

void Block::shape(const Launch& launch) {
    count = static_cast<unsigned>(launch.block.count());
    threads.resize(count);
    warps.resize((count + 31) / 32);
    for (unsigned i = 0; i < count; i++) {
        threads[i].index = unflatten(i, launch.block);
        threads[i].lane = i % 32;
        threads[i].warp = &warps[i / 32];
        threads[i].block = this;
    }
}

void Block::resize(const Launch& launch) {
    if (shaped.x != launch.block.x || shaped.y != launch.block.y || shaped.z != launch.block.z) {
        shape(launch);
        shaped = launch.block;
    }
    constexpr size_t ALIGNMENT = 1024; // what swizzled tiles ask for
    size_t bytes = launch.shared_bytes + BEHIND;
    if (shared_memory.size() < bytes + ALIGNMENT) shared_memory.resize(bytes + ALIGNMENT);
    uintptr_t start = reinterpret_cast<uintptr_t>(shared_memory.data());
    // The end, not the start, is at the end of the allocation: AddressSanitizer sees what runs over it.
    uintptr_t latest = (start + shared_memory.size() - bytes) & ~(ALIGNMENT - 1);
    dynamic_shared = reinterpret_cast<unsigned char*>(latest);
}

// Whether a block has written behind its shared memory.
bool Block::is_overrun() const {
    const unsigned char* behind = dynamic_shared + launch->shared_bytes;
    return std::any_of(behind, behind + BEHIND, [](unsigned char byte) { return byte != POISON; });
}

std::string Block::run(const Launch& what, Dim where) {
    launch = &what;
    index = where;
    resize(what);
    std::memset(dynamic_shared, POISON, what.shared_bytes + BEHIND);
    started = finished = 0;
    warp_cursor = 0;
    failure.clear();
    bulk_copies.clear();
    bulk_waits.clear();
    std::memset(waiting, 0, sizeof waiting);
    std::memset(expected, 0, sizeof expected);
    for (unsigned i = 0; i < warps.size(); i++) {
        unsigned lanes = count - 32 * i;
        warps[i] = Warp();
        warps[i].present = lanes >= 32 ? ~0u : (1u << lanes) - 1;
    }
    for (Thread& thread : threads) {
        thread.copies.clear();
        thread.waits_for = nullptr;
        thread.stack_pointer = nullptr;
    }
    current = &threads[0];
    switch_stack(&worker, prepare_stack(stacks.take(), &Block::entry));
    if (failure.empty()) {
        recycle();
    } else {
        stacks.reclaim();
    }
    current = nullptr;
    if (failure.empty() && is_overrun()) {
        failure = std::string(what.kernel) + ": writes behind its " + std::to_string(what.shared_bytes)
                  + " bytes of shared memory, block " + text(where);
    }
    return failure;
}

void Block::entry() {
    entered_stack();
    current->block->run_threads();
}

// The base of every stack: starts threads until others can go on, then gives the stack up.
void Block::run_threads() {
    recycle();
    char* mine = StackPool::bottom_of(__builtin_frame_address(0));
    for (;;) {
        Warp* near = current->warp;
        if (started < count) {
            Thread& thread = next_unstarted();
            near = thread.warp;
            current = &thread;
            launch->function(launch->arguments);
            finish(*current);
        }
        Thread* ready = next_ready(near);
        if (ready != nullptr) {
            current = ready;
            dead_stack = mine;
            leave(ready->stack_pointer);
        }
        if (started < count) continue;
        if (finished == count) {
            dead_stack = mine;
            leave(worker);
        }
        deadlock();
    }
}

Thread& Block::next_unstarted() {
    unsigned i = launch->order == Order::ASCENDING ? started : count - 1 - started;
    started++;
    return threads[i];
}

void Block::finish(Thread& thread) {
    finished++;
    thread.waits_for = nullptr;
    thread.warp->present &= ~(1u << thread.lane);
    for (int id = 0; id < BARRIERS; id++) {
        if (waiting[id] > 0) release_if_complete(id);
    }
}

// Threads of the same warp first, then threads not yet started, then those of other warps.
Thread* Block::next_ready(Warp* near) {
    Warp* warp = near;
    if (warp->ready == 0) {
        if (started < count) return nullptr;
        size_t tried = 0;
        while (tried < warps.size() && warps[warp_cursor].ready == 0) {
            warp_cursor = (warp_cursor + 1) % warps.size();
            tried++;
        }
        if (tried == warps.size()) return nullptr;
        warp = &warps[warp_cursor];
    }
    unsigned lane = first(warp->ready, launch->order);
    warp->ready &= ~(1u << lane);
    return &threads[(warp - warps.data()) * 32 + lane];
}

void Block::wait(const char* what) {
    Thread* me = current;
    me->waits_for = what;
    Thread* next = next_ready(me->warp);
    if (next != me) {
        if (next != nullptr) {
            current = next;
            switch_stack(&me->stack_pointer, next->stack_pointer);
        } else if (started < count) {
            switch_stack(&me->stack_pointer, prepare_stack(stacks.take(), &Block::entry));
        } else {
            deadlock();
        }
        recycle();
    }
    current = me;
    me->waits_for = nullptr;
}

void Block::barrier(int id, unsigned threads_expected) {
    if (id < 0 || id >= BARRIERS) fail("barrier " + std::to_string(id) + " does not exist");
    if (threads_expected % 32 != 0) fail("a barrier for part of the block counts whole warps");
    expected[id] = threads_expected;
    current->warp->at_barrier[id] |= 1u << current->lane;
    waiting[id]++;
    release_if_complete(id);
    wait("__syncthreads");
}

// `expected` 0 means all threads that have not ended.
void Block::release_if_complete(int id) {
    unsigned needed = expected[id] > 0 ? expected[id] : count - finished;
    if (waiting[id] < needed) return;
    waiting[id] = 0;
    for (Warp& warp : warps) {
        warp.ready |= warp.at_barrier[id];
        warp.at_barrier[id] = 0;
    }
}

// Every lane of the mask brings a pointer; the last one to come computes for all of them.
void Block::warp_operation(unsigned mask, void* pointer, WarpFunction function, const char* name) {
    Warp& warp = *current->warp;
    unsigned all = static_cast<unsigned>(&warp - warps.data()) == warps.size() - 1 && count % 32 != 0
                       ? (1u << count % 32) - 1
                       : ~0u;
    mask &= all;
    unsigned me = 1u << current->lane;
    if ((mask & me) == 0) fail(std::string(name) + " whose mask lacks the calling lane");
    if ((mask & ~warp.present) != 0) fail(std::string(name) + " waits for lanes that have ended");
    warp.pointers[current->lane] = pointer;
    warp.functions[current->lane] = function;
    warp.masks[current->lane] = mask;
    warp.arrived |= me;
    if ((warp.arrived & mask) != mask) return wait(name);
    for (unsigned rest = mask; rest != 0; rest &= rest - 1) {
        unsigned lane = __builtin_ctz(rest);
        if (warp.functions[lane] != function || warp.masks[lane] != mask) {
            fail(std::string("lanes ") + std::to_string(current->lane) + " and " + std::to_string(lane)
                 + " of a warp meet in different warp operations (" + name + ")");
        }
    }
    warp.arrived &= ~mask;
    function(warp.pointers, mask);
    warp.ready |= mask & ~me;
}

// A bulk barrier: the parity of its phase in the highest bit, and the bytes that this phase waits for.
constexpr uint64_t PHASE = 1ull << 63;

void Block::expect_bulk(uint64_t* barrier, unsigned bytes) {
    if ((*barrier & ~PHASE) != 0) fail("a bulk barrier whose phase before has not ended");
    *barrier += bytes;
    for (size_t i = 0; i < bulk_waits.size();) {
        if (bulk_waits[i].barrier != barrier) {
            i++;
            continue;
        }
        Thread* thread = bulk_waits[i].thread;
        thread->warp->ready |= 1u << thread->lane;
        bulk_waits.erase(bulk_waits.begin() + i);
    }
}

void Block::copy_bulk(void* to, const void* from, unsigned bytes, uint64_t* barrier) {
    if ((reinterpret_cast<uintptr_t>(to) | reinterpret_cast<uintptr_t>(from) | bytes) % 16 != 0) {
        fail("a bulk copy that is not aligned to 16 bytes");
    }
    std::memset(to, POISON, bytes);
    bulk_copies.push_back({to, from, bytes, barrier, nullptr, {}});
}

void Block::copy_box(void* to, const void* map, std::array<int, 5> corner, uint64_t* barrier) {
    auto* encoded = static_cast<const EncodedTensorMap*>(map);
    if (reinterpret_cast<uintptr_t>(to) % 128 != 0) fail("a box that is not aligned to 128 bytes");
    std::memset(to, POISON, encoded->box_bytes());
    bulk_copies.push_back({to, nullptr, encoded->box_bytes(), barrier, encoded, corner});
}

void Block::wait_bulk(uint64_t* barrier, unsigned parity) {
    while (*barrier >> 63 == (parity & 1)) { // this phase goes on
        if ((*barrier & ~PHASE) == 0) {
            bulk_waits.push_back({barrier, current});
            wait("a bulk barrier");
            continue;
        }
        for (size_t i = 0; i < bulk_copies.size();) {
            if (bulk_copies[i].barrier != barrier) {
                i++;
                continue;
            }
            bulk_copies[i].land();
            *barrier -= bulk_copies[i].bytes;
            bulk_copies.erase(bulk_copies.begin() + i);
        }
        if ((*barrier & ~PHASE) != 0) fail("a bulk barrier whose bytes were not all issued");
        *barrier ^= PHASE;
    }
}

void Block::fail(const std::string& what) {
    failure = std::string(launch->kernel) + ": " + what + ", block " + text(index) + ", thread " + text(current->index);
    // The suspended stacks of the other threads are abandoned with this one.
    dead_stack = nullptr;
    leave(worker);
}

void Block::deadlock() {
    for (Thread& thread : threads) {
        if (thread.waits_for != nullptr) {
            current = &thread;
            fail(std::string("deadlock: ") + thread.waits_for + " is not reached by all its threads");
        }
    }
    fail("deadlock");
}

void Block::leave(void* to) {
    void* never = nullptr;
    switch_stack(&never, to);
    std::abort();
}

void Block::recycle() {
    if (dead_stack != nullptr) stacks.give(dead_stack);
    dead_stack = nullptr;
}

namespace {

// Workers that live as long as the library: a block's stacks and shared memory stay where they are.
class Crew {
  public:
    static Crew& get() {
        static Crew* crew = new Crew(); // never destroyed: a JVM's exit does not wait for it
        return *crew;
    }

    void each(int workers, const std::function<void(Block&)>& work) {
        std::lock_guard one(running);
        std::unique_lock lock(mutex);
        while (static_cast<int>(members) < workers) {
            std::thread(&Crew::live, this, members++).detach();
        }
        task = &work;
        wanted = workers;
        busy = workers;
        generation++;
        wake.notify_all();
        idle.wait(lock, [&] { return busy == 0; });
    }

  private:
    void live(int me) {
        remember_worker_stack(&me);
        Block block;
        uint64_t seen = 0;
        std::unique_lock lock(mutex);
        for (;;) {
            wake.wait(lock, [&] { return generation != seen; });
            seen = generation;
            if (me >= wanted) continue;
            const std::function<void(Block&)>& work = *task;
            lock.unlock();
            work(block);
            lock.lock();
            if (--busy == 0) idle.notify_all();
        }
    }

    std::mutex running, mutex;
    std::condition_variable wake, idle;
    const std::function<void(Block&)>* task = nullptr;
    int members = 0, wanted = 0, busy = 0;
    uint64_t generation = 0;
};

} // namespace

std::string run_grid(const Launch& launch, int workers) {
    uint64_t blocks = launch.grid.count();
    std::atomic<uint64_t> next {0};
    std::mutex guard;
    std::string failure;
    auto work = [&](Block& block) {
        for (uint64_t i = next++; i < blocks; i = next++) {
            uint64_t at = launch.order == Order::ASCENDING ? i : blocks - 1 - i;
            std::string said = block.run(launch, unflatten(at, launch.grid));
            if (!said.empty()) {
                std::lock_guard lock(guard);
                if (failure.empty()) failure = said;
                next = blocks;
            }
        }
    };
    Crew::get().each(static_cast<int>(std::min<uint64_t>(blocks, workers)), work);
    return failure;
}

} // namespace standin
