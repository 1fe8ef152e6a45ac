// driver.h: what the files of entry points share.
//
// The entry points have the signatures of cuda.h 13.0. Work on the default stream and synchronous copies behave as
// documented: they wait for all streams that were not created non-blocking.
#pragma once
#include "stream.h"

#define API extern "C" __attribute__((visibility("default"))) int

// Takes the lock; returns an injected failure or the fault that the device has.
#define ENTER(call)                                                                        \
    std::lock_guard<std::recursive_mutex> lock(standin::Device::get().mutex);              \
    if (int status = standin::Device::get().enter(call); status != standin::SUCCESS) return status

// Not allowed while a stream is being captured, as it would synchronise or allocate.
#define ENTER_OUTSIDE_CAPTURE(call) \
    ENTER(call);                    \
    if (standin::capturing()) return standin::CAPTURE_UNSUPPORTED

// Also needs a context of the calling thread.
#define ENTER_CONTEXT(call)      \
    ENTER_OUTSIDE_CAPTURE(call); \
    if (standin::current_context_of_thread() == nullptr) return standin::INVALID_CONTEXT

namespace standin {

inline Stream* stream_of(void* handle) {
    // 0 and 1 are the default stream, 2 the one per thread
    return reinterpret_cast<uintptr_t>(handle) <= 2 ? &default_stream() : static_cast<Stream*>(handle);
}

const void* current_context_of_thread();

inline size_t shared_limit() { return Device::get().settings.capability >= 90 ? 232448 : 101376; }

} // namespace standin
