// stream.h: streams, events and graphs.
//
// Nothing runs when it is issued. A stream is a queue, worked off when somebody waits for it; where two queues are free
// to run in either order, `Order` decides. So a wait that is missing is a wrong result in one of the two orders.
#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "device.h"
#include "registry.h"

namespace standin {

struct Stream;
struct Event;
struct Executable;

struct Operation {
    enum class Kind { LAUNCH, COPY, SET, RECORD, WAIT, GRAPH, HOST, EMPTY };
    Kind kind = Kind::EMPTY;
    // LAUNCH
    const Kernel* kernel = nullptr;
    Dim grid, block;
    size_t shared_bytes = 0;
    std::vector<uint64_t> arguments; // copied when issued; 8-byte words keep the struct aligned
    // COPY, SET
    uint64_t to = 0, from = 0;
    size_t bytes = 0;
    unsigned value = 0, value_bytes = 1;
    // RECORD, WAIT
    std::shared_ptr<Event> event;
    uint64_t generation = 0;
    // GRAPH
    std::shared_ptr<Executable> executable;
    // HOST
    void (*function)(void*) = nullptr;
    void* given = nullptr;

    // Runs it, except RECORD and WAIT, which the queue handles.
    int run() const;
};

struct Event : std::enable_shared_from_this<Event> {
    uint64_t recorded = 0, done = 0; // generations
    Stream* stream = nullptr;        // where it was recorded last
    double milliseconds = 0;
    // Of a capture: the graph and the nodes that the event stands for.
    std::shared_ptr<struct Capture> capture;
    std::vector<int> nodes;
};

struct Node {
    Operation operation;
    std::vector<int> after;
};

struct Graph {
    std::vector<Node> nodes;
};

struct Executable {
    Graph graph;
    int run() const;
};

struct Capture {
    Graph graph;
    Stream* origin = nullptr;
    std::vector<Stream*> joined; // other streams that take part
    bool broken = false;
    bool global = true;      // restricts all threads, not only the one that captures
    std::thread::id thread;
};

struct Stream {
    bool blocking = true; // waits with the default stream
    std::deque<Operation> queue;
    std::shared_ptr<Capture> capture;
    std::vector<int> last; // nodes of the capture that the next operation of this stream follows

    int issue(Operation operation);
    int drain();
    int run_until(const Event& event, uint64_t generation);
    int record(Event& event);
    int wait(Event& event);
    int begin_capture(bool global);
    int end_capture(Graph** graph);

  private:
    int step();
};

// The default stream and all that are open.
Stream& default_stream();
void open(Stream* stream);
void close(Stream* stream);
bool is_open(const Stream* stream);
bool capturing(); // what restricts the calling thread
int drain_all(bool blocking_only);
double now_milliseconds();

} // namespace standin
