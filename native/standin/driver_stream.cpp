// driver_stream.cpp: streams, events, graphs.
#include <algorithm>
#include <memory>

#include "driver.h"

using namespace standin;

namespace {

std::shared_ptr<Event>* event_of(void* handle) { return static_cast<std::shared_ptr<Event>*>(handle); }

} // namespace

API cuStreamCreate(void** stream, unsigned flags) {
    ENTER_CONTEXT("cuStreamCreate");
    auto* made = new Stream();
    constexpr unsigned NON_BLOCKING = 1;
    made->blocking = (flags & NON_BLOCKING) == 0;
    open(made);
    *stream = made;
    return SUCCESS;
}

API cuStreamCreateWithPriority(void** stream, unsigned flags, int) { return cuStreamCreate(stream, flags); }

API cuStreamDestroy_v2(void* stream) {
    std::lock_guard<std::recursive_mutex> lock(Device::get().mutex);
    auto* mine = static_cast<Stream*>(stream);
    if (!is_open(mine)) return INVALID_HANDLE;
    int status = Device::get().enter("cuStreamDestroy");
    if (status == SUCCESS) status = mine->drain();
    close(mine);
    delete mine;
    return status;
}

API cuStreamSynchronize(void* stream) {
    ENTER("cuStreamSynchronize");
    Stream* mine = stream_of(stream);
    if (mine->capture != nullptr) return CAPTURE_UNSUPPORTED;
    return mine == &default_stream() ? drain_all(true) : mine->drain();
}

API cuStreamQuery(void* stream) {
    ENTER("cuStreamQuery");
    return stream_of(stream)->queue.empty() ? SUCCESS : NOT_READY;
}

API cuLaunchHostFunc(void* stream, void (*function)(void*), void* given) {
    ENTER("cuLaunchHostFunc");
    Operation operation;
    operation.kind = Operation::Kind::HOST;
    operation.function = function;
    operation.given = given;
    return stream_of(stream)->issue(std::move(operation));
}

API cuStreamWaitEvent(void* stream, void* event, unsigned) {
    ENTER("cuStreamWaitEvent");
    return stream_of(stream)->wait(**event_of(event));
}

API cuStreamBeginCapture_v2(void* stream, int mode) {
    ENTER("cuStreamBeginCapture");
    return stream_of(stream) == &default_stream() ? CAPTURE_UNSUPPORTED : stream_of(stream)->begin_capture(mode == 0);
}

API cuStreamEndCapture(void* stream, void** graph) {
    ENTER("cuStreamEndCapture");
    return stream_of(stream)->end_capture(reinterpret_cast<Graph**>(graph));
}

API cuStreamIsCapturing(void* stream, int* status) {
    ENTER("cuStreamIsCapturing");
    *status = stream_of(stream)->capture != nullptr ? 1 : 0;
    return SUCCESS;
}

API cuGraphGetNodes(void* graph, void** nodes, size_t* count) {
    ENTER("cuGraphGetNodes");
    auto& all = static_cast<Graph*>(graph)->nodes;
    for (size_t i = 0; nodes != nullptr && i < std::min(*count, all.size()); i++) nodes[i] = &all[i];
    *count = all.size();
    return SUCCESS;
}

API cuGraphInstantiateWithFlags(void** executable, void* graph, unsigned long long) {
    ENTER("cuGraphInstantiate");
    auto made = std::make_shared<Executable>();
    made->graph = *static_cast<Graph*>(graph);
    *executable = new std::shared_ptr<Executable>(made);
    return SUCCESS;
}

API cuGraphLaunch(void* executable, void* stream) {
    ENTER("cuGraphLaunch");
    Operation operation;
    operation.kind = Operation::Kind::GRAPH;
    operation.executable = *static_cast<std::shared_ptr<Executable>*>(executable);
    return stream_of(stream)->issue(std::move(operation));
}

API cuGraphUpload(void*, void*) { return SUCCESS; }

API cuGraphExecDestroy(void* executable) {
    std::lock_guard<std::recursive_mutex> lock(Device::get().mutex);
    delete static_cast<std::shared_ptr<Executable>*>(executable);
    return SUCCESS;
}

API cuGraphDestroy(void* graph) {
    std::lock_guard<std::recursive_mutex> lock(Device::get().mutex);
    delete static_cast<Graph*>(graph);
    return SUCCESS;
}

API cuEventCreate(void** event, unsigned) {
    ENTER("cuEventCreate");
    *event = new std::shared_ptr<Event>(std::make_shared<Event>());
    return SUCCESS;
}

API cuEventDestroy_v2(void* event) {
    std::lock_guard<std::recursive_mutex> lock(Device::get().mutex);
    delete event_of(event);
    return SUCCESS;
}

API cuEventRecord(void* event, void* stream) {
    ENTER("cuEventRecord");
    return stream_of(stream)->record(**event_of(event));
}

API cuEventSynchronize(void* event) {
    ENTER("cuEventSynchronize");
    Event& mine = **event_of(event);
    if (mine.stream == nullptr || !is_open(mine.stream)) return SUCCESS;
    return mine.stream->run_until(mine, mine.recorded);
}

API cuEventQuery(void* event) {
    ENTER("cuEventQuery");
    Event& mine = **event_of(event);
    return mine.done >= mine.recorded ? SUCCESS : NOT_READY;
}

API cuEventElapsedTime(float* milliseconds, void* start, void* end) {
    ENTER("cuEventElapsedTime");
    Event& first = **event_of(start);
    Event& last = **event_of(end);
    if (first.recorded == 0 || last.recorded == 0) return INVALID_HANDLE;
    if (first.done < first.recorded || last.done < last.recorded) return NOT_READY;
    *milliseconds = static_cast<float>(last.milliseconds - first.milliseconds);
    return SUCCESS;
}

API cuEventElapsedTime_v2(float* milliseconds, void* start, void* end) {
    return cuEventElapsedTime(milliseconds, start, end);
}
