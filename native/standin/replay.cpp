// replay.cpp: a program that repeats a record (record.h) with every allocation in a block of its own, for
// AddressSanitizer: an access behind an allocation is reported at its line in the kernel.
//
//   replay RECORD...     exit status 0, 2 for a record that is not one, or AddressSanitizer's
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "device.h"
#include "registry.h"

using namespace standin;

namespace {

class Replay {
  public:
    explicit Replay(const char* path) : path(path), file(std::fopen(path, "rb")) {
        if (file == nullptr) refuse("cannot be read");
    }
    ~Replay() { std::fclose(file); }

    long run() {
        for (int kind = std::fgetc(file); kind != EOF; kind = std::fgetc(file)) step(kind);
        for (const auto& [was, is] : addresses) Device::get().release(is.now);
        return launches;
    }

  private:
    struct Moved {
        uint64_t now, bytes;
    };

    [[noreturn]] void refuse(const std::string& what) {
        std::fprintf(stderr, "replay: %s: %s\n", path, what.c_str());
        std::exit(2);
    }

    template <class T>
    T get() {
        T value;
        if (std::fread(&value, sizeof value, 1, file) != 1) refuse("ends within a record");
        return value;
    }

    void get(void* to, size_t bytes) {
        if (std::fread(to, 1, bytes, file) != bytes) refuse("ends within a record");
    }

    // An address of the recorded process in this one.
    uint64_t moved(uint64_t address, const std::string& whose) {
        auto after = addresses.upper_bound(address);
        if (after != addresses.begin()) {
            auto found = std::prev(after);
            uint64_t offset = address - found->first;
            if (offset < found->second.bytes) return found->second.now + offset;
        }
        refuse(whose + " points to no allocation");
    }

    void* pointer(uint64_t address, const std::string& whose) {
        return reinterpret_cast<void*>(moved(address, whose));
    }

    void step(int kind) {
        switch (kind) {
            case 'A': return allocate();
            case 'F': return release();
            case 'H': {
                auto to = get<uint64_t>(), bytes = get<uint64_t>();
                return get(pointer(to, "a copy"), bytes);
            }
            case 'D': {
                auto to = get<uint64_t>(), from = get<uint64_t>(), bytes = get<uint64_t>();
                std::memmove(pointer(to, "a copy"), pointer(from, "a copy"), bytes);
                return;
            }
            case 'S': return set();
            case 'K': return launch();
            default: refuse("holds an unknown record " + std::to_string(kind));
        }
    }

    void allocate() {
        auto was = get<uint64_t>(), bytes = get<uint64_t>();
        uint64_t now = 0;
        if (Device::get().allocate(&now, bytes) != SUCCESS) refuse("asks for more memory than there is");
        addresses[was] = {now, bytes};
    }

    void release() {
        auto found = addresses.find(get<uint64_t>());
        if (found == addresses.end()) refuse("releases what was not allocated");
        Device::get().release(found->second.now);
        addresses.erase(found);
    }

    void set() {
        auto to = get<uint64_t>(), bytes = get<uint64_t>();
        auto value = get<uint32_t>(), value_bytes = get<uint32_t>();
        auto* target = static_cast<char*>(pointer(to, "a memset"));
        for (uint64_t i = 0; i < bytes; i += value_bytes) std::memcpy(target + i, &value, value_bytes);
    }

    void launch() {
        std::string name(get<uint32_t>(), 0);
        get(name.data(), name.size());
        auto found = kernels().find(name);
        if (found == kernels().end()) refuse("launches " + name + ", which is not linked in");
        Launch launch;
        launch.kernel = found->second.name;
        launch.function = found->second.function;
        for (unsigned* extent : {&launch.grid.x, &launch.grid.y, &launch.grid.z, &launch.block.x, &launch.block.y,
                                 &launch.block.z}) {
            *extent = get<uint32_t>();
        }
        launch.shared_bytes = get<uint64_t>();
        std::vector<uint64_t> arguments((get<uint64_t>() + 7) / 8);
        get(arguments.data(), found->second.argument_bytes);
        for (size_t replica = 0; replica < found->second.replicas; replica++) {
            for (const Field& field : *found->second.fields) {
                for (size_t i = 0; field.pointer && i < field.bytes / 8; i++) { // one, or an array
                    uint64_t& word = arguments[(replica * found->second.replica_bytes + field.offset) / 8 + i];
                    if (word != 0) word = moved(word, name + "'s " + field.name);
                }
            }
        }
        launch.arguments = arguments.data();
        std::string failure = run_grid(launch, 1);
        if (!failure.empty()) refuse(failure);
        launches++;
    }

    const char* path;
    std::FILE* file;
    std::map<uint64_t, Moved> addresses;
    long launches = 0;
};

} // namespace

int main(int count, char** paths) {
    Device::get().settings.memory = 1L << 40;
    long launches = 0;
    for (int i = 1; i < count; i++) launches += Replay(paths[i]).run();
    std::printf("replay: %ld launches\n", launches);
    return 0;
}
