// registry.h: the kernels that are linked into the stand-in, by name, with the layout of their argument structs.
#pragma once
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "block.h"

namespace standin {

struct Field {
    const char* name;
    size_t offset, bytes;
    bool pointer;
};

struct Kernel {
    const char* name;
    KernelFunction function;
    size_t argument_bytes;
    unsigned max_threads; // of a block; what __launch_bounds__ promises the compiler
    const std::vector<Field>* fields;
    // Of the entry for replicas: what `fields` says, but the last of it, is so many times there, so far apart.
    size_t replicas = 1, replica_bytes = 0;
};

const std::map<std::string, Kernel>& kernels();

struct Registration {
    explicit Registration(const Kernel& kernel);
};

// Filled by the LAYOUT macro of kernel.cuh, one per argument struct.
template <class Arguments>
struct LayoutOf;

// The fields of the first of several structs side by side, and the number behind them.
template <class Replicas, class Arguments>
const std::vector<Field>& replica_fields() {
    static const std::vector<Field> all = [] {
        std::vector<Field> fields = LayoutOf<Arguments>::fields();
        fields.push_back({"shift", offsetof(Replicas, shift), sizeof(int), false});
        return fields;
    }();
    return all;
}

} // namespace standin
