// driver_launch.cpp: modules, functions, launches.
#include <cstdio>
#include <cstring>
#include <memory>
#include <set>

#include "driver.h"

using namespace standin;

namespace {

struct Function {
    const Kernel* kernel;
    size_t max_shared_bytes;
};

struct Module {
    std::map<std::string, std::unique_ptr<Function>> functions;
};

std::set<const void*>& handles() {
    static auto* all = new std::set<const void*>();
    return *all;
}

constexpr size_t STATIC_SHARED_LIMIT = 48 * 1024;

int check_launch(const Function* function, Dim grid, Dim block, size_t shared_bytes) {
    const Kernel& kernel = *function->kernel;
    auto refuse = [&](const char* what, uint64_t found, uint64_t limit) {
        std::fprintf(stderr, "rote stand-in: launch of %s: %s %llu, limit %llu\n", kernel.name, what,
                     static_cast<unsigned long long>(found), static_cast<unsigned long long>(limit));
        return INVALID_VALUE;
    };
    if (grid.count() == 0 || block.count() == 0) return refuse("an extent of", 0, 0);
    if (block.count() > kernel.max_threads) return refuse("threads per block", block.count(), kernel.max_threads);
    if (block.z > 64) return refuse("block.z", block.z, 64);
    if (grid.x > 0x7fffffffu) return refuse("grid.x", grid.x, 0x7fffffffu);
    if (grid.y > 65535) return refuse("grid.y", grid.y, 65535);
    if (grid.z > 65535) return refuse("grid.z", grid.z, 65535);
    if (shared_bytes > function->max_shared_bytes) {
        return refuse("dynamic shared bytes", shared_bytes, function->max_shared_bytes);
    }
    return SUCCESS;
}

int launch(Function* function, Dim grid, Dim block, size_t shared_bytes, void* stream, void** parameters) {
    if (handles().count(function) == 0) return INVALID_HANDLE;
    if (int status = check_launch(function, grid, block, shared_bytes); status != SUCCESS) return status;
    Operation operation;
    operation.kind = Operation::Kind::LAUNCH;
    operation.kernel = function->kernel;
    operation.grid = grid;
    operation.block = block;
    operation.shared_bytes = shared_bytes;
    operation.arguments.assign((function->kernel->argument_bytes + 7) / 8, 0);
    std::memcpy(operation.arguments.data(), parameters[0], function->kernel->argument_bytes);
    return stream_of(stream)->issue(std::move(operation));
}

} // namespace

API cuModuleLoadData(void** module, const void* image) {
    ENTER_CONTEXT("cuModuleLoadData");
    // The image is a fat binary, an ELF file or PTX; its kernels are linked in here, so only the kind is looked at.
    static const unsigned char FATBIN[] = {0x50, 0xed, 0x55, 0xba};
    static const unsigned char ELF[] = {0x7f, 'E', 'L', 'F'};
    bool known = std::memcmp(image, FATBIN, 4) == 0 || std::memcmp(image, ELF, 4) == 0;
    if (!known) return INVALID_IMAGE;
    *module = new Module();
    return SUCCESS;
}

API cuModuleUnload(void* module) {
    ENTER_OUTSIDE_CAPTURE("cuModuleUnload");
    if (int status = drain_all(false); status != SUCCESS) return status;
    for (const auto& [name, function] : static_cast<Module*>(module)->functions) handles().erase(function.get());
    delete static_cast<Module*>(module);
    return SUCCESS;
}

API cuModuleGetFunction(void** function, void* module, const char* name) {
    ENTER("cuModuleGetFunction");
    auto found = kernels().find(name);
    if (found == kernels().end()) return NOT_FOUND;
    auto& mine = static_cast<Module*>(module)->functions[name];
    if (mine == nullptr) mine.reset(new Function {&found->second, STATIC_SHARED_LIMIT});
    handles().insert(mine.get());
    *function = mine.get();
    return SUCCESS;
}

API cuFuncGetAttribute(int* value, int attribute, void* function) {
    ENTER("cuFuncGetAttribute");
    auto* mine = static_cast<Function*>(function);
    switch (attribute) {
        case 0: *value = static_cast<int>(mine->kernel->max_threads); return SUCCESS;
        case 1: case 2: case 3: *value = 0; return SUCCESS; // shared, constant, local bytes: unknown here
        case 4: *value = 1; return SUCCESS;                  // registers
        case 8: *value = static_cast<int>(mine->max_shared_bytes); return SUCCESS;
        default: return INVALID_VALUE;
    }
}

API cuFuncSetAttribute(void* function, int attribute, int value) {
    ENTER("cuFuncSetAttribute");
    if (handles().count(function) == 0) return INVALID_HANDLE;
    if (attribute == 8) {
        if (value < 0 || static_cast<size_t>(value) > shared_limit()) return INVALID_VALUE;
        static_cast<Function*>(function)->max_shared_bytes = value;
    }
    return SUCCESS;
}

API cuLaunchKernel(void* function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y,
                   unsigned block_z, unsigned shared_bytes, void* stream, void** parameters, void**) {
    ENTER("cuLaunchKernel");
    return launch(static_cast<Function*>(function), {grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared_bytes,
                  stream, parameters);
}

// CUlaunchConfig of cuda.h.
struct LaunchConfig {
    unsigned grid_x, grid_y, grid_z, block_x, block_y, block_z, shared_bytes;
    void* stream;
    const struct { unsigned id; char pad[4]; union { unsigned cluster[3]; char bytes[64]; } value; }* attributes;
    unsigned attribute_count;
};

API cuLaunchKernelEx(const LaunchConfig* config, void* function, void** parameters, void**) {
    ENTER("cuLaunchKernelEx");
    for (unsigned i = 0; i < config->attribute_count; i++) {
        constexpr unsigned CLUSTER_DIMENSION = 4;
        if (config->attributes[i].id != CLUSTER_DIMENSION) continue;
        if (Device::get().settings.capability < 90) return NOT_SUPPORTED;
        const unsigned* cluster = config->attributes[i].value.cluster;
        bool fits = cluster[0] > 0 && cluster[1] > 0 && cluster[2] > 0 && cluster[0] * cluster[1] * cluster[2] <= 8
                    && config->grid_x % cluster[0] == 0 && config->grid_y % cluster[1] == 0
                    && config->grid_z % cluster[2] == 0;
        if (!fits) return INVALID_VALUE;
    }
    return launch(static_cast<Function*>(function), {config->grid_x, config->grid_y, config->grid_z},
                  {config->block_x, config->block_y, config->block_z}, config->shared_bytes, config->stream, parameters);
}

// The encoding is the driver's own affair; this one holds what a kernel's twin of the copy engine would need.
API cuTensorMapEncodeTiled(void* map, unsigned type, unsigned rank, void* address, const uint64_t* extents,
                           const uint64_t* strides, const uint32_t* box, const uint32_t* element_strides, unsigned,
                           unsigned swizzle, unsigned, unsigned fill) {
    ENTER("cuTensorMapEncodeTiled");
    if (Device::get().settings.capability < 90) return NOT_SUPPORTED;
    static const unsigned BYTES[] = {1, 2, 4, 4, 8, 8, 2, 4, 8, 2, 4, 4, 4};
    auto at = reinterpret_cast<uint64_t>(map), from = reinterpret_cast<uint64_t>(address);
    if (at % 64 != 0 || from % 16 != 0 || type >= 13 || rank < 1 || rank > 5) return INVALID_VALUE;
    unsigned row_bytes = box[0] * BYTES[type];
    if (row_bytes % 16 != 0 || swizzle > 3 || (swizzle > 0 && row_bytes > 16u << swizzle)) return INVALID_VALUE;
    standin::EncodedTensorMap encoded = {};
    encoded.address = from;
    encoded.type = type;
    encoded.rank = rank;
    encoded.value_bytes = BYTES[type];
    encoded.swizzle = swizzle;
    encoded.fill = fill;
    for (unsigned axis = 0; axis < rank; axis++) {
        bool fits = extents[axis] > 0 && extents[axis] <= 1ull << 32 && box[axis] > 0 && box[axis] <= 256
                    && element_strides[axis] > 0 && element_strides[axis] <= 8;
        if (!fits || (axis > 0 && (strides[axis - 1] % 16 != 0 || strides[axis - 1] >= 1ull << 40))) return INVALID_VALUE;
        encoded.extents[axis] = static_cast<uint32_t>(extents[axis]);
        encoded.box[axis] = box[axis];
        if (axis > 0) encoded.strides[axis - 1] = strides[axis - 1];
    }
    std::memset(map, 0, 128);
    std::memcpy(map, &encoded, sizeof encoded);
    return SUCCESS;
}

API cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, void*, int block_size, size_t) {
    *blocks = std::max(1, 2048 / std::max(1, block_size));
    return SUCCESS;
}
