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
};

const std::map<std::string, Kernel>& kernels();

struct Registration {
    explicit Registration(const Kernel& kernel);
};

// Filled by the LAYOUT macro of kernel.cuh, one per argument struct.
template <class Arguments>
struct LayoutOf;

} // namespace standin
