// stream.cpp: see stream.h.
#include "stream.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <numeric>

#include "record.h"

namespace standin {

namespace {

std::vector<Stream*>& streams() {
    static auto* all = new std::vector<Stream*>();
    return *all;
}

int workers() {
    int set = Device::get().settings.workers;
    return set > 0 ? set : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

int run_launch(const Operation& operation) {
    Device& device = Device::get();
    Launch launch;
    launch.kernel = operation.kernel->name;
    launch.function = operation.kernel->function;
    launch.grid = operation.grid;
    launch.block = operation.block;
    launch.shared_bytes = operation.shared_bytes;
    launch.arguments = operation.arguments.data();
    launch.order = device.settings.order;
    launch.truncating = device.settings.truncate;
    std::string failure = run_grid(launch, workers());
    return failure.empty() ? SUCCESS : device.fault(LAUNCH_FAILED, failure);
}

} // namespace

Stream& default_stream() {
    static auto* stream = new Stream();
    return *stream;
}

void open(Stream* stream) { streams().push_back(stream); }

void close(Stream* stream) {
    auto& all = streams();
    all.erase(std::remove(all.begin(), all.end(), stream), all.end());
}

bool is_open(const Stream* stream) {
    return stream == &default_stream() || std::find(streams().begin(), streams().end(), stream) != streams().end();
}

bool capturing() {
    return std::any_of(streams().begin(), streams().end(), [](Stream* s) {
        return s->capture != nullptr && (s->capture->global || s->capture->thread == std::this_thread::get_id());
    });
}

double now_milliseconds() {
    auto since = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration<double, std::milli>(since).count();
}

int drain_all(bool blocking_only) {
    std::vector<Stream*> all = streams();
    all.insert(all.begin(), &default_stream());
    if (Device::get().settings.order == Order::DESCENDING) std::reverse(all.begin(), all.end());
    for (Stream* stream : all) {
        if (blocking_only && !stream->blocking) continue;
        int status = stream->drain();
        if (status != SUCCESS) return status;
    }
    return SUCCESS;
}

int Operation::run() const {
    record_operation(*this);
    switch (kind) {
        case Kind::LAUNCH:
            return run_launch(*this);
        case Kind::COPY:
            std::memmove(reinterpret_cast<void*>(to), reinterpret_cast<const void*>(from), bytes);
            return SUCCESS;
        case Kind::SET:
            for (size_t i = 0; i < bytes; i += value_bytes) {
                std::memcpy(reinterpret_cast<void*>(to + i), &value, value_bytes);
            }
            return SUCCESS;
        case Kind::GRAPH:
            return executable->run();
        case Kind::HOST:
            function(given);
            return SUCCESS;
        case Kind::RECORD:
        case Kind::WAIT:
        case Kind::EMPTY:
            return SUCCESS;
    }
    return SUCCESS;
}

namespace {

// Number of nodes on the longest way to each node.
std::vector<int> depths(const Graph& graph) {
    std::vector<int> depth;
    for (const Node& node : graph.nodes) {
        int most = 0;
        for (int before : node.after) most = std::max(most, depth[before]);
        depth.push_back(most + 1);
    }
    return depth;
}

// By depth: a node runs as soon as its edges allow, so that one which lacks an edge comes too early.
std::vector<size_t> earliest(const Graph& graph) {
    std::vector<int> depth = depths(graph);
    std::vector<size_t> order(graph.nodes.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return depth[a] < depth[b]; });
    return order;
}

// The node captured last among those that may run: a side branch waits until somebody needs it.
std::vector<size_t> latest(const Graph& graph) {
    std::vector<size_t> order;
    std::vector<char> done(graph.nodes.size(), 0);
    while (order.size() < graph.nodes.size()) {
        size_t at = graph.nodes.size();
        bool ready = false;
        while (!ready) {
            at--;
            const std::vector<int>& after = graph.nodes[at].after;
            ready = done[at] == 0 && std::all_of(after.begin(), after.end(), [&](int n) { return done[n] != 0; });
        }
        done[at] = 1;
        order.push_back(at);
    }
    return order;
}

} // namespace

// Any order that the edges allow is right; the two that `Order` names are as far apart as can be.
int Executable::run() const {
    bool ascending = Device::get().settings.order == Order::ASCENDING;
    for (size_t node : ascending ? earliest(graph) : latest(graph)) {
        int status = graph.nodes[node].operation.run();
        if (status != SUCCESS) return status;
    }
    return SUCCESS;
}

int Stream::issue(Operation operation) {
    if (capture == nullptr) {
        queue.push_back(std::move(operation));
        return SUCCESS;
    }
    if (capture->broken) return CAPTURE_INVALIDATED;
    capture->graph.nodes.push_back({std::move(operation), last});
    last = {static_cast<int>(capture->graph.nodes.size()) - 1};
    return SUCCESS;
}

int Stream::step() {
    Operation operation = std::move(queue.front());
    queue.pop_front();
    Event* event = operation.event.get();
    if (operation.kind == Operation::Kind::RECORD) {
        event->done = operation.generation;
        event->milliseconds = now_milliseconds();
        return SUCCESS;
    }
    if (operation.kind == Operation::Kind::WAIT) {
        Stream* source = event->stream;
        return source == nullptr || !is_open(source) ? SUCCESS : source->run_until(*event, operation.generation);
    }
    return operation.run();
}

int Stream::run_until(const Event& event, uint64_t generation) {
    while (event.done < generation && !queue.empty()) {
        int status = step();
        if (status != SUCCESS) return status;
    }
    return SUCCESS;
}

int Stream::drain() {
    while (!queue.empty()) {
        int status = step();
        if (status != SUCCESS) return status;
    }
    return SUCCESS;
}

int Stream::record(Event& event) {
    if (capture != nullptr) {
        event.capture = capture;
        event.nodes = last;
        return SUCCESS;
    }
    event.capture = nullptr;
    event.stream = this;
    Operation operation;
    operation.kind = Operation::Kind::RECORD;
    operation.event = event.shared_from_this();
    operation.generation = ++event.recorded;
    return issue(std::move(operation));
}

int Stream::wait(Event& event) {
    if (event.capture != nullptr) {
        if (capture == nullptr) { // the stream joins the capture
            capture = event.capture;
            capture->joined.push_back(this);
        }
        if (capture != event.capture) return CAPTURE_UNMATCHED;
        for (int node : event.nodes) {
            if (std::find(last.begin(), last.end(), node) == last.end()) last.push_back(node);
        }
        return SUCCESS;
    }
    Operation operation;
    operation.kind = Operation::Kind::WAIT;
    operation.event = event.shared_from_this();
    operation.generation = event.recorded;
    return capture == nullptr ? issue(std::move(operation)) : CAPTURE_UNSUPPORTED;
}

int Stream::begin_capture(bool global) {
    if (capture != nullptr) return CAPTURE_UNSUPPORTED;
    capture = std::make_shared<Capture>();
    capture->origin = this;
    capture->global = global;
    capture->thread = std::this_thread::get_id();
    last.clear();
    return SUCCESS;
}

int Stream::end_capture(Graph** graph) {
    if (capture == nullptr) return CAPTURE_UNMATCHED;
    std::shared_ptr<Capture> mine = capture;
    bool joined = true;
    // What a joined stream did last must have been waited for by the origin.
    std::vector<char> reached(mine->graph.nodes.size(), 0);
    std::vector<int> open_nodes = last;
    while (!open_nodes.empty()) {
        int node = open_nodes.back();
        open_nodes.pop_back();
        if (reached[node] != 0) continue;
        reached[node] = 1;
        for (int before : mine->graph.nodes[node].after) open_nodes.push_back(before);
    }
    for (Stream* other : mine->joined) {
        for (int node : other->last) joined = joined && reached[node] != 0;
        other->capture = nullptr;
        other->last.clear();
    }
    capture = nullptr;
    last.clear();
    if (mine->broken) return CAPTURE_INVALIDATED;
    if (!joined) return CAPTURE_UNJOINED;
    *graph = new Graph(std::move(mine->graph));
    return SUCCESS;
}

} // namespace standin
